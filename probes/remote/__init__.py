"""A session whose target runs elsewhere: the headless end there, the session here.

    here                                              there (Python 3.9+, nothing installed)
    ────                                              ─────
    address   ssh://, docker://, k8s:// ──► a command line
    travel    the modules that go along ──zip──►  far.loader   memory only, no file
                                                  far.end      the same probes as here
    link      frames in, orders out    ◄─frames─  far.speech   packs what they say
      │          clock: their time to ours        sampler      its own stream, as it is
    links     another one after a cut
      ├─ records ──► SessionLog
      └─ sampler's bytes ──► OwnStackProbe
    session   what `probes.session` is for a process of this machine

`frames` is what both ends agree on. Nothing is worked out there: what is weighed, judged, shown
and recorded is so here. `perftui record --stdio` by hand speaks another language: the recording
itself, file by file.
"""
