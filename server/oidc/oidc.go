// Package oidc is the OpenID Connect provider of Propusk.
package oidc

import _ "github.com/zitadel/oidc/v3/pkg/op"
