"""A cluster of workers as one session: the engine runs the workers, we come in as its plugin.

    the engine's scheduler ── workers, each with our plugin (`dask_plugin`: standard library only)
             ▲   the engine's own channels (its topics, its connections)
             ▼
    `end` + `dask_end` or `ray_end`   a process of ours that is a client of the engine
             │   lines of JSON (`say`)
             ▼
    `link` ── `probe`                 what came becomes records of the `session`

Workers on this machine are read from outside, as every process is; of those elsewhere the plugin
reads what they use. Whoever leaves takes the plugin out; whoever is killed has it taken out by the
engine, which is told to do so when our client goes.
"""
