package sshconfig

import (
	"fmt"
	"slices"
	"strings"
)

// keywords are those of ssh_config(5) in OpenSSH 9.2, except Host, Match and Include.
var keywords = slices.Concat(usedKeywords, refusedKeywords, ignoredKeywords)

var usedKeywords = []string{
	"Ciphers", "ConnectTimeout", "HashKnownHosts", "HostKeyAlgorithms", "HostName", "IdentitiesOnly", "IdentityFile",
	"KexAlgorithms", "MACs", "Port", "ProxyJump", "PubkeyAcceptedAlgorithms", "PubkeyAcceptedKeyTypes",
	"ServerAliveCountMax", "ServerAliveInterval", "StrictHostKeyChecking", "User", "UserKnownHostsFile",
}

// refusedKeywords would make the connection less safe, or lead to another host, if they were followed or ignored.
var refusedKeywords = []string{"NoHostAuthenticationForLocalhost", "ProxyCommand", "RevokedHostKeys"}

var ignoredKeywords = strings.Fields(`
	AddKeysToAgent AddressFamily BatchMode BindAddress BindInterface CanonicalDomains CanonicalizeFallbackLocal
	CanonicalizeHostname CanonicalizeMaxDots CanonicalizePermittedCNAMEs CASignatureAlgorithms CertificateFile
	CheckHostIP ClearAllForwardings Compression ConnectionAttempts ControlMaster ControlPath ControlPersist
	DynamicForward EnableEscapeCommandline EnableSSHKeysign EscapeChar ExitOnForwardFailure FingerprintHash
	ForkAfterAuthentication ForwardAgent ForwardX11 ForwardX11Timeout ForwardX11Trusted GatewayPorts
	GlobalKnownHostsFile GSSAPIAuthentication GSSAPIClientIdentity GSSAPIDelegateCredentials GSSAPIKexAlgorithms
	GSSAPIKeyExchange GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDns HostbasedAcceptedAlgorithms
	HostbasedAuthentication HostKeyAlias IdentityAgent IgnoreUnknown IPQoS
	KbdInteractiveAuthentication KbdInteractiveDevices KnownHostsCommand LocalCommand LocalForward
	LogLevel LogVerbose NumberOfPasswordPrompts PasswordAuthentication PermitLocalCommand PermitRemoteOpen
	PKCS11Provider PreferredAuthentications ProxyUseFdpass PubkeyAuthentication RekeyLimit
	RemoteCommand RemoteForward RequestTTY RequiredRSASize SecurityKeyProvider SendEnv SessionType SetEnv StdinNull
	StreamLocalBindMask StreamLocalBindUnlink SyslogFacility TCPKeepAlive Tunnel TunnelDevice UpdateHostKeys
	VerifyHostKeyDNS VisualHostKey XAuthLocation`)

// unsafe returns an error if the files contain a refused setting.
func (s section) unsafe() error {
	switch value := strings.ToLower(s.first("StrictHostKeyChecking")); value {
	case "", "yes", "ask", "accept-new":
	default:
		return fmt.Errorf("StrictHostKeyChecking %s: host keys are always checked", value)
	}
	for _, keyword := range refusedKeywords {
		if value := s.first(keyword); value != "" && !s.is(keyword, "no") && !s.is(keyword, "none") {
			return fmt.Errorf("%s is not supported", keyword)
		}
	}
	return nil
}

// ignored returns the settings in the files that have no effect.
func (s section) ignored() (settings []Setting) {
	for _, keyword := range ignoredKeywords {
		for _, value := range s[strings.ToLower(keyword)] {
			settings = append(settings, Setting{keyword, value})
		}
	}
	return settings
}
