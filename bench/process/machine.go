package process

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Fact is one thing to know of a machine.
type Fact struct{ Name, Value string }

// Machine describes the machine as far as it can be known: what it does not tell is left out. Files that a program
// writes into dir are on the file system that it names.
func Machine(dir string) []Fact {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		resolved = dir
	}
	m := machine{os.DirFS("/")}
	facts := []Fact{
		{"CPU", m.processor(runtime.NumCPU())}, {"frequency governor", m.governor()}, {"virtual machine", m.virtual()},
		{"memory", m.memory()}, {"system", m.system()}, {"file system", m.fileSystem(resolved)}, {"Go", runtime.Version()},
	}
	var known []Fact
	for _, f := range facts {
		if f.Value != "" {
			known = append(known, f)
		}
	}
	return known
}

// machine reads what Linux shows of a machine in files: proc(5), sysfs(5).
type machine struct{ root fs.FS }

// read returns a file without the space around it; empty if there is none.
func (m machine) read(name string) string {
	content, err := fs.ReadFile(m.root, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

// field returns the value of the first line "name: value" or "name=value" of a file.
func (m machine) field(file, name string) string {
	for line := range strings.Lines(m.read(file)) {
		if at := strings.IndexAny(line, ":="); at > 0 && strings.TrimSpace(line[:at]) == name {
			return strings.Trim(strings.TrimSpace(line[at+1:]), `"`)
		}
	}
	return ""
}

func (m machine) processor(count int) string {
	name := m.field("proc/cpuinfo", "model name")
	if name == "" {
		name = runtime.GOARCH
	}
	name = fmt.Sprintf("%s, %d CPUs", name, count)
	if m.read("sys/devices/system/cpu/smt/active") == "1" {
		name += ", more than one to a core (SMT)"
	}
	quota, period, _ := strings.Cut(m.read("sys/fs/cgroup/cpu.max"), " ")
	q, errQuota := strconv.ParseFloat(quota, 64) // "max" is no limit
	p, errPeriod := strconv.ParseFloat(period, 64)
	if errQuota == nil && errPeriod == nil && p > 0 {
		name += fmt.Sprintf(", limited to the time of %.3g", q/p)
	}
	return name
}

func (m machine) governor() string {
	return m.read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
}

func (m machine) virtual() string {
	if !strings.Contains(" "+m.field("proc/cpuinfo", "flags")+" ", " hypervisor ") {
		return ""
	}
	if kind := strings.TrimSpace(m.read("sys/class/dmi/id/sys_vendor") + " " + m.read("sys/class/dmi/id/product_name")); kind != "" {
		return kind
	}
	return "yes"
}

func (m machine) memory() string {
	total, err := strconv.ParseFloat(strings.TrimSuffix(m.field("proc/meminfo", "MemTotal"), " kB"), 64)
	if err != nil {
		return ""
	}
	const gibibyte = 1 << 30
	text := fmt.Sprintf("%.1f GiB", total*1024/gibibyte)
	if limit, err := strconv.ParseFloat(m.read("sys/fs/cgroup/memory.max"), 64); err == nil {
		text += fmt.Sprintf(", limited to %.1f GiB", limit/gibibyte)
	}
	return text
}

func (m machine) system() string {
	parts := []string{m.field("etc/os-release", "PRETTY_NAME"), runtime.GOOS + "/" + runtime.GOARCH}
	if release := m.read("proc/sys/kernel/osrelease"); release != "" {
		parts[1] += " " + release
	}
	return strings.TrimPrefix(strings.Join(parts, ", "), ", ")
}

// fileSystem is the type of what is mounted at the directory, which is absolute, or at the closest one above it. What
// a disk costs is not to be seen on one that is memory.
func (m machine) fileSystem(dir string) string {
	closest, kind := "", ""
	for line := range strings.Lines(m.read("proc/self/mountinfo")) {
		before, after, _ := strings.Cut(line, " - ") // proc_pid_mountinfo(5)
		fields, types := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(types) == 0 {
			continue
		}
		at := fields[4]
		if (dir == at || strings.HasPrefix(dir, strings.TrimSuffix(at, "/")+"/")) && len(at) >= len(closest) {
			closest, kind = at, types[0] // of two at the same place, the later hides the earlier
		}
	}
	return kind
}
