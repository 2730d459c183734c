// Package secret keeps passwords, tokens and keys out of logs, error texts, API answers and files.
//
// A [String] shows itself as [Mask] to everything that prints, encodes or logs it, also from inside other values;
// [String.Reveal] is the only way to its content, so that every use of one can be found by that name.
package secret
