#!/bin/bash
# A sample of the matrix of clients, settings and networks (../interop): those cells that are marked for it.
exec "$(dirname "$0")/../interop/run" --sample
