// Verifies Sigstore bundles with sigstore-go, for comparison: once, or over and over on one thread.
//
//	sigstore-go-bench ROOT ARTIFACT IDENTITY ISSUER SECONDS BUNDLE...
//
// With SECONDS 0 the bundles are verified once, as a command would. Otherwise they are verified in turn for that long,
// and {"perSecond": N} is printed. Each verification starts from the bundle's bytes.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) < 7 {
		fmt.Fprintln(os.Stderr, "usage: sigstore-go-bench ROOT ARTIFACT IDENTITY ISSUER SECONDS BUNDLE...")
		os.Exit(2)
	}
	trusted, err := root.NewTrustedRootFromPath(os.Args[1])
	check(err)
	artifact, err := os.ReadFile(os.Args[2])
	check(err)
	identity, err := verify.NewShortCertificateIdentity(os.Args[4], "", os.Args[3], "")
	check(err)
	seconds, err := strconv.ParseFloat(os.Args[5], 64)
	check(err)
	verifier, err := verify.NewVerifier(trusted, verify.WithTransparencyLog(1), verify.WithSignedTimestamps(1))
	check(err)
	var bundles [][]byte
	for _, name := range os.Args[6:] {
		content, err := os.ReadFile(name)
		check(err)
		bundles = append(bundles, content)
	}
	one := func(content []byte) {
		var parsed bundle.Bundle
		check(parsed.UnmarshalJSON(content))
		policy := verify.NewPolicy(verify.WithArtifact(bytes.NewReader(artifact)), verify.WithCertificateIdentity(identity))
		_, err := verifier.Verify(&parsed, policy)
		check(err)
	}
	if seconds == 0 {
		for _, content := range bundles {
			one(content)
		}
		return
	}
	runtime.GOMAXPROCS(1)
	for _, content := range bundles {
		one(content)
	}
	start := time.Now()
	count := 0
	for time.Since(start).Seconds() < seconds {
		one(bundles[count%len(bundles)])
		count++
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]float64{"perSecond": float64(count) / time.Since(start).Seconds()}))
}
