// Package lateremote is a remote whose requests may be executed late: after the caller was told that the connection was
// lost, or after its context has ended. A network, a proxy or a suspended server delivers requests so.
//
// Every call of an Fs or File method is one operation of a [Line], but Name. The Line asks its decision function what
// becomes of each: it passes, its answer is lost ([Hold]), or its answer does not come until it is delivered ([Wait]). A
// request that changes something and was held is executed when the test calls [Line.Deliver], in any order. A request that
// only reads is never executed late.
//
// [New] gives an afero.Fs without any optional interface but afero.Symlinker: as an engine sees it, a call lasts until it
// is answered. [Quick] has WithContext, ReplaceFile, MakeDir, Stage and what else a remote may have: its calls end with
// their context.
package lateremote
