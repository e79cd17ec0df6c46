"""Anchors: signed digests of the heads of all chains, kept outside of the database, each naming the one before.

A chain can't show that its tail was cut, or that all of it was written anew: an anchor can. What it is made of:

merkle    a tree of hashes over lines (RFC 6962): its root stands for all of them, a short path proves one
heads     files of heads in the object store, one line a chain
manifest  the anchor itself: numbers, roots, the digest of the one before, a signature
taking    takes one: an hour's, one that was asked for, one after a restore
checking  holds anchors against each other and against the database
"""
