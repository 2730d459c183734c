#!/bin/sh
# mosquitto.sh installs Debian's mosquitto and its clients, unless they are there.
set -eu

PATH=$PATH:/usr/sbin # where Debian has it, which is not on the PATH of an ordinary user
if command -v mosquitto >/dev/null && command -v mosquitto_sub >/dev/null && command -v mosquitto_pub >/dev/null; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "mosquitto and its clients are not installed, and there is no apt-get to do it: install them, then try again" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
	sudo=sudo
	if ! command -v sudo >/dev/null; then
		echo "mosquitto and its clients are not installed: as root, apt-get install mosquitto mosquitto-clients" >&2
		exit 1
	fi
fi
$sudo apt-get update -q
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y -o Dpkg::Use-Pty=0 --no-install-recommends mosquitto mosquitto-clients
