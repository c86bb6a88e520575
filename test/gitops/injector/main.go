// Command injector is Dapr's sidecar injector, its admission service as the control plane runs it, less what would need a
// cluster around it: the certificate comes from here and not from sentry, and the caller registers the webhook. cmd/injector
// itself waits for sentry, with a token that a kubelet has mounted at a fixed path.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"log"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/dapr/dapr/pkg/client/clientset/versioned"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/injector/service"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/dapr/kit/signals"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how the API server is reached")
	port := flag.Int("port", 0, "where the webhook listens")
	bundle := flag.String("ca-bundle", "", "the file to write the webhook's own certificate to")
	namespace := flag.String("namespace", "dapr-system", "of the control plane")
	scheduler := flag.Bool("scheduler-enabled", true, "as cmd/injector has it")
	flag.Parse()
	if err := run(signals.Context(), *kubeconfig, *bundle, *namespace, *port, *scheduler); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig, bundle, namespace string, port int, scheduler bool) error {
	if err := service.InitMetrics(); err != nil {
		return err
	}
	cfg, err := service.GetConfig() // of the environment, as the chart writes it
	if err != nil {
		return err
	}
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	dapr, err := versioned.NewForConfig(rest)
	if err != nil {
		return err
	}
	certificate, authority, err := ownCertificate()
	if err != nil {
		return err
	}
	if err := os.WriteFile(bundle, authority, 0o600); err != nil {
		return err
	}
	injector, err := service.NewInjector(service.Options{
		Config:                  cfg,
		DaprClient:              dapr,
		KubeClient:              kube,
		Port:                    port,
		Healthz:                 healthz.New(),
		SchedulerEnabled:        scheduler,
		ControlPlaneNamespace:   namespace,
		ControlPlaneTrustDomain: cfg.ControlPlaneTrustDomain,
	})
	if err != nil {
		return err
	}
	sentry, err := spiffeid.FromSegments(spiffeid.RequireTrustDomainFromString(cfg.ControlPlaneTrustDomain), "ns", namespace, "dapr-sentry")
	if err != nil {
		return err
	}
	anchors := func(context.Context) ([]byte, error) { return authority, nil }
	return injector.Run(ctx, ofThisMachineOnly(certificate), sentry, anchors)
}

// ofThisMachineOnly ends every handshake from elsewhere: in 1.18.2 the service listens on all addresses, whatever its
// ListenAddress says.
func ofThisMachineOnly(certificate tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{certificate},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if address, ok := hello.Conn.RemoteAddr().(*net.TCPAddr); ok && address.IP.IsLoopback() {
				return nil, nil // goes on with the configuration that it has
			}
			return nil, errors.New("only this machine may ask")
		},
	}
}

// ownCertificate makes a certificate for the loopback that is its own authority (PEM).
func ownCertificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, authority, nil
}
