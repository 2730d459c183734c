package scenario

import (
	"slices"

	"github.com/lorry-mqtt/lorry/bench/process"
)

// payer is a process at work in a round, and what it is there.
type payer struct {
	role    string // "broker"; empty: it costs so little that nobody asks
	own     bool   // whether its work is the contender's
	process *process.Process
}

// cost is what a role took.
type cost struct {
	role   string
	own    bool
	cpu    float64 // seconds per million frames
	memory float64 // bytes resident at most; 0: not looked at
}

// costs are those of one round, one for each role.
type costs []cost

// of returns a role's; nothing if there is no such role.
func (c costs) of(role string) cost {
	i := slices.IndexFunc(c, func(one cost) bool { return one.role == role })
	if i < 0 {
		return cost{role: role}
	}
	return c[i]
}

// own is the CPU time of all that is the contender's own, in seconds per million frames.
func (c costs) own() float64 {
	sum := 0.0
	for _, one := range c {
		if one.own {
			sum += one.cpu
		}
	}
	return sum
}

// charge says what the payers took between two bills for so many frames.
func charge(payers []payer, before, after bill, frames float64) (c costs, others float64) {
	each, others := after.since(before)
	for i, p := range payers {
		if p.role != "" {
			c = append(c, cost{
				role: p.role, own: p.own,
				cpu: each[i].Seconds() / frames * 1e6, memory: float64(after.used[i].MaxResident),
			})
		}
	}
	return c, others
}

func processes(payers []payer) []*process.Process {
	all := make([]*process.Process, len(payers))
	for i, p := range payers {
		all[i] = p.process
	}
	return all
}
