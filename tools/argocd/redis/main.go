// A Redis for tests, in memory: redis <address>
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	server := miniredis.NewMiniRedis()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: redis <host>:<port>")
		os.Exit(2)
	}
	if err := server.StartAddr(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for range time.Tick(time.Second) { // Its clock stands still unless it is told.
		server.FastForward(time.Second)
	}
}
