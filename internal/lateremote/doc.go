// Package lateremote is a remote whose requests may be executed late: after the caller was told that the connection was
// lost, or after its context has ended. A network, a proxy or a suspended server may deliver requests like that.
//
// Every call of an Fs or File method except Name is one operation of a [Line]. The decision function of the Line
// chooses the fate of each: it passes, its answer is lost ([Hold]), or its answer only arrives after it is delivered
// ([Wait]). A held request that changes something is executed when the test calls [Line.Deliver], in any order. A
// request that only reads is never executed late.
//
// [New] returns an afero.Fs whose only optional interface is afero.Symlinker: for its user, a call lasts until it is
// answered. [Quick] adds WithContext, ReplaceFile, MakeDir, Stage and the other optional methods of a remote: its calls
// end with their context.
package lateremote
