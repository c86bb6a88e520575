// Package tools pins, in go.mod, what `bun run check:gitops` builds and whose files it reads. The replace lines are
// Kubernetes' own: its staging modules exist only under their own versions, and of a dependency no replace counts.
package tools
