// Command k6 is Grafana k6 as its authors release it, without extensions of ours.
package main

import "go.k6.io/k6/cmd"

func main() { cmd.Execute() }
