"""A selection by the workers of a Dask cluster.

Dask starts a member on each worker: one long task, which does what ``fast-select shard`` does, over
a checkpoint folder that all workers see. So a worker's death costs no more than the pieces that it
had, and Dask's scheduler has one task a worker to look after. Loaded where a cluster is asked for.

| file | what it is for |
|---|---|
| `crew` | the client's side: a folder, the input, the run |
| `roll` | members: started, watched, and counted where they die (`deaths`) |
| `member` | the worker's side; what it has is in its `notes` |
| `telling` | how far they are |
| `census` | what the workers are: version, instruction set, what they see |
| `connection` | from the word after ``--cluster`` to a client |
| `presence` | whether scheduler and workers are still there; short tasks |
| `shared` | arrays as files that all workers map |
| `collections` | arrays and frames of Dask, written by the workers that have them |
| `urls` | files elsewhere, copied by workers |
"""
