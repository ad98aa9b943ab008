// Appends to a log of Tessera's POSIX driver and waits for each entry to be published, as log.bench.ts does with ours.
//
//	tessera-bench DIRECTORY WRITERS SECONDS BYTES
//
// Prints one line of JSON. Built by bench/peers/install.sh.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	directory := os.Args[1]
	writers := must(strconv.Atoi(os.Args[2]))
	seconds := must(strconv.Atoi(os.Args[3]))
	size := must(strconv.Atoi(os.Args[4]))
	ctx := context.Background()
	secret, _, err := note.GenerateKey(rand.Reader, "bench.example")
	must(0, err)
	driver := must(posix.New(ctx, posix.Config{Path: directory}))
	// The shortest interval and batch age that the driver takes: every entry waits for a checkpoint.
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(must(note.NewSigner(secret))).
		WithCheckpointInterval(100*time.Millisecond).
		WithBatching(256, 5*time.Millisecond)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	must(0, err)
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 5*time.Millisecond)
	var lock sync.Mutex
	var latencies []float64
	var group sync.WaitGroup
	start := time.Now()
	for writer := range writers {
		group.Add(1)
		go func() {
			defer group.Done()
			body := make([]byte, size)
			for n := 0; time.Since(start) < time.Duration(seconds)*time.Second; n++ {
				copy(body, fmt.Sprintf("entry %d %d ", writer, n))
				asked := time.Now()
				_, _, err := awaiter.Await(ctx, appender.Add(ctx, tessera.NewEntry(append([]byte(nil), body...))))
				must(0, err)
				lock.Lock()
				latencies = append(latencies, float64(time.Since(asked).Microseconds())/1000)
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	elapsed := time.Since(start).Seconds()
	must(0, shutdown(ctx))
	sort.Float64s(latencies)
	at := func(share float64) float64 { return latencies[int(float64(len(latencies)-1)*share)] }
	must(0, json.NewEncoder(os.Stdout).Encode(map[string]any{
		"perSecond": int(float64(len(latencies)) / elapsed), "p50Ms": at(0.5), "p99Ms": at(0.99),
	}))
}
