package process

import (
	"maps"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// served is a machine that shows all it can.
func served() fstest.MapFS {
	tree := fstest.MapFS{}
	for name, content := range map[string]string{
		"proc/cpuinfo":                      "processor\t: 0\nmodel name\t: Example 9000: fast\nflags\t\t: fpu hypervisor vme\n\nprocessor\t: 1\nmodel name\t: other\n",
		"proc/meminfo":                      "MemTotal:       24684096 kB\nMemFree:  1 kB\n",
		"proc/sys/kernel/osrelease":         "6.1.0-13\n",
		"etc/os-release":                    "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n",
		"sys/devices/system/cpu/smt/active": "1\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
		"sys/class/dmi/id/sys_vendor":                          "QEMU\n",
		"sys/class/dmi/id/product_name":                        "Standard PC\n",
		"sys/fs/cgroup/cpu.max":                                "150000 100000\n",
		"sys/fs/cgroup/memory.max":                             "2147483648\n",
		"proc/self/mountinfo": "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n" +
			"28 27 0:25 / /tmp rw - ext3 /dev/b rw\n29 27 0:25 / /tmp rw - tmpfs none rw\n30 27 0:26 / /tmp2 rw - xfs /dev/c rw\nbroken\n",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return tree
}

func TestMachine(t *testing.T) {
	m := machine{served()}
	for want, got := range map[string]string{
		"Example 9000: fast, 4 CPUs, more than one to a core (SMT), limited to the time of 1.5": m.processor(4),
		"powersave":                    m.governor(),
		"QEMU Standard PC":             m.virtual(),
		"23.5 GiB, limited to 2.0 GiB": m.memory(),
		"Debian GNU/Linux 12, " + runtime.GOOS + "/" + runtime.GOARCH + " 6.1.0-13": m.system(),
		"tmpfs": m.fileSystem("/tmp/lorry-bench"),
		"ext4":  m.fileSystem("/tmpfile"),
		"xfs":   m.fileSystem("/tmp2"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestMachineUnlimited checks what has no bound, and is no virtual machine.
func TestMachineUnlimited(t *testing.T) {
	tree := served()
	maps.DeleteFunc(tree, func(name string, _ *fstest.MapFile) bool { return strings.HasPrefix(name, "sys/devices") })
	tree["proc/cpuinfo"].Data = []byte("model name: Example\nflags: fpu nohypervisor\n")
	tree["sys/fs/cgroup/cpu.max"].Data = []byte("max 100000\n")
	tree["sys/fs/cgroup/memory.max"].Data = []byte("max\n")
	m := machine{tree}
	for want, got := range map[string]string{"Example, 2 CPUs": m.processor(2), "23.5 GiB": m.memory(), "": m.virtual() + m.governor()} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestMachineSilent checks a system that shows nothing.
func TestMachineSilent(t *testing.T) {
	m := machine{fstest.MapFS{}}
	if got := m.memory() + m.governor() + m.virtual() + m.fileSystem("/tmp"); got != "" {
		t.Errorf("got %q", got)
	}
	if got, want := m.processor(1)+"; "+m.system(), runtime.GOARCH+", 1 CPUs; "+runtime.GOOS+"/"+runtime.GOARCH; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, fact := range Machine(os.TempDir()) {
		if fact.Value == "" {
			t.Errorf("%s is named and not known", fact.Name)
		}
	}
}
