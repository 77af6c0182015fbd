package tree

import "iter"

// A table finds nodes by their IDs. IDs are given out one after the other, so nodes that were made together share a page.
// That takes half the memory of a map of nodes.
type table map[ID]*page

const pageSize = 16

type page [pageSize]*Node

func (t table) get(id ID) *Node {
	if p := t[id/pageSize]; p != nil {
		return p[id%pageSize]
	}
	return nil
}

func (t table) put(n *Node) {
	p := t[n.ID/pageSize]
	if p == nil {
		p = new(page)
		t[n.ID/pageSize] = p
	}
	p[n.ID%pageSize] = n
}

func (t table) remove(id ID) {
	if p := t[id/pageSize]; p != nil {
		p[id%pageSize] = nil
		if *p == (page{}) {
			delete(t, id/pageSize)
		}
	}
}

// all iterates over the nodes, in no order.
func (t table) all() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for _, p := range t {
			for _, n := range p {
				if n != nil && !yield(n) {
					return
				}
			}
		}
	}
}
