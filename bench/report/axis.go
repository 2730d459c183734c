package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// linear makes an axis from the span's lowest to its highest value, or of some length if there is nothing between them.
func (s span) linear(a *plot.Axis) {
	switch {
	case s.empty(), s.lowest == 0 && s.highest == 0:
		s = span{0, 1}
	case s.lowest == s.highest:
		around := math.Abs(s.lowest) / 2
		s = span{s.lowest - around, s.highest + around}
	}
	a.Scale = plot.LinearScale{}
	a.Min, a.Max = s.lowest, s.highest
	a.Tick.Marker = linearTicks(s)
}

// withZero widens a span of numbers that are all on one side of 0: what is compared begins there.
func (s span) withZero() span {
	return span{min(0, s.lowest), max(0, s.highest)}
}

// linearTicks are at 4 to 10 multiples of 1, 2 or 5 times a power of ten.
func linearTicks(s span) plot.ConstantTicks {
	const atLeast = 4
	rough := (s.highest - s.lowest) / atLeast
	power := math.Floor(math.Log10(rough))
	step := math.Pow(10, power)
	for _, larger := range []float64{5, 2} {
		if larger*math.Pow(10, power) <= rough {
			step = larger * math.Pow(10, power)
			break
		}
	}
	unit, suffix := thousands(max(math.Abs(s.lowest), math.Abs(s.highest)))
	decimals := int(max(0, -math.Floor(math.Log10(step/unit)+1e-9)))
	var ticks plot.ConstantTicks
	for i := math.Ceil(s.lowest/step - 1e-9); i*step <= s.highest*(1+1e-9); i++ {
		label := strconv.FormatFloat(i*step/unit, 'f', decimals, 64) + suffix
		if i == 0 {
			label = "0"
		}
		ticks = append(ticks, plot.Tick{Value: i * step, Label: label})
	}
	return ticks
}

// logarithmic makes an axis from the last of 1, 2 and 5 times a power of ten before the span to the first one after it.
func (s span) logarithmic(a *plot.Axis) {
	if s.empty() {
		s = span{1, 10}
	}
	from, to := roundBefore(s.lowest), roundAfter(s.highest)
	if from == to {
		from, to = roundBefore(from*0.99), roundAfter(to*1.01)
	}
	a.Scale = plot.LogScale{}
	a.Min, a.Max = from, to
	a.Tick.Marker = logTicks(from, to)
}

// logTicks are at the powers of ten, and if there are hardly any at 2 and 5 times those. There are small ones between.
func logTicks(from, to float64) plot.ConstantTicks {
	fine := to/from < 500
	var ticks plot.ConstantTicks
	for power := int(math.Floor(math.Log10(from) + 1e-9)); math.Pow10(power) <= to*(1+1e-9); power++ {
		for digit := 1.0; digit < 10; digit++ {
			at := digit * math.Pow10(power)
			if at < from*(1-1e-9) || at > to*(1+1e-9) {
				continue
			}
			tick := plot.Tick{Value: min(max(at, from), to)}
			if digit == 1 || fine && (digit == 2 || digit == 5) {
				tick.Label = short(at)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// roundBefore is the highest of 1, 2 and 5 times a power of ten that is not above v.
func roundBefore(v float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(v) + 1e-9)))
	for _, digit := range []float64{5, 2} {
		if digit*power <= v*(1+1e-9) {
			return digit * power
		}
	}
	return power
}

// roundAfter is the lowest of 1, 2 and 5 times a power of ten that is not below v.
func roundAfter(v float64) float64 {
	power := math.Pow10(int(math.Floor(math.Log10(v) + 1e-9)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= v*(1-1e-9) {
			return digit * power
		}
	}
	return 10 * power
}

// short writes a number with three significant digits: 0.048, 560, 32.5k.
func short(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		rounded = v // it is beyond what a number can be
	}
	unit, suffix := thousands(math.Abs(rounded))
	return strconv.FormatFloat(rounded/unit, 'f', -1, 64) + suffix
}

// thousands returns what a number of that size is written in.
func thousands(size float64) (unit float64, suffix string) {
	switch {
	case size >= 1e9:
		return 1e9, "G"
	case size >= 1e6:
		return 1e6, "M"
	case size >= 1e3:
		return 1e3, "k"
	default:
		return 1, ""
	}
}
