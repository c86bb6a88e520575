// Command sentry is Dapr's certificate authority as it is: without it sidecars do not know who calls them, and
// `accessControl` would refuse everyone.
package main

import "github.com/dapr/dapr/cmd/sentry/app"

func main() {
	app.Run()
}
