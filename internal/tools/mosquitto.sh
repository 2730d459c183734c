#!/bin/sh
# mosquitto.sh installs Debian's mosquitto, unless it is there; `mosquitto.sh clients` its clients, too.
set -eu

packages=mosquitto
programs=mosquitto
if [ "${1-}" = clients ]; then
	packages="mosquitto mosquitto-clients"
	programs="mosquitto mosquitto_sub mosquitto_pub"
fi

PATH=$PATH:/usr/sbin # where Debian has it, which is not on the PATH of an ordinary user
missing=
for program in $programs; do
	command -v "$program" >/dev/null || missing=$program
done
if [ -z "$missing" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "not installed: $packages; and there is no apt-get to do it: install what is missing, then try again" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
	sudo=sudo
	if ! command -v sudo >/dev/null; then
		echo "not installed: as root, apt-get install $packages" >&2
		exit 1
	fi
fi
$sudo apt-get update -q
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y -o Dpkg::Use-Pty=0 --no-install-recommends $packages
