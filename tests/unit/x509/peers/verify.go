// Verifies client certificates as Go's TLS servers do.
// Usage: verify CASE..., each a folder with trust.pem and client.pem. Prints one line a case.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

func verify(folder string) (string, error) {
	trust, err := os.ReadFile(filepath.Join(folder, "trust.pem"))
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(trust) {
		return "", fmt.Errorf("no CA certificate that Go can read")
	}
	chain, err := os.ReadFile(filepath.Join(folder, "client.pem"))
	if err != nil {
		return "", err
	}
	block, rest := pem.Decode(chain)
	if block == nil {
		return "", fmt.Errorf("no PEM that Go can read")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	intermediates := x509.NewCertPool()
	intermediates.AppendCertsFromPEM(rest)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return leaf.Subject.String(), err
}

func main() {
	for _, folder := range os.Args[1:] {
		subject, err := verify(folder)
		if err != nil {
			fmt.Println("refused", err)
		} else {
			fmt.Println("accepted", subject)
		}
	}
}
