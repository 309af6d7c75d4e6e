"""Copies between GPU and host memory, each way on a stream of its own; on a CPU, each way in a thread of its own."""

from concurrent.futures import ThreadPoolExecutor

import torch


class CudaLink:
    """Gradients come down and weights go up at the same time, beside the compute stream. Without `streams`, all of it
    happens on the stream that computes."""

    def __init__(self, streams=True):
        here = torch.cuda.current_stream()
        self.down, self.up = (torch.cuda.Stream(), torch.cuda.Stream()) if streams else (here, here)

    def fetch(self, pieces, target, norm):
        """Copies `pieces` (flat tensors on the GPU, written by the current stream) one after another into `target`, and
        the norm of all of them into `norm` (one fp32 in host memory). Returns what `wait` takes."""
        self.down.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.down):
            whole = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
            for piece in pieces:
                piece.record_stream(self.down)
            norm.copy_(torch.linalg.vector_norm(whole, dtype=torch.float32), non_blocking=True)
            target.copy_(whole, non_blocking=True)
            return self.down.record_event(torch.cuda.Event(blocking=True))

    def wait(self, event):
        """Until what `fetch` returned is done; other threads run on."""
        event.synchronize()

    def send(self, target, source):
        """Begins to copy host memory to the GPU. Returns what `after` takes."""
        with torch.cuda.stream(self.up):
            target.copy_(source, non_blocking=True)
        return self.up.record_event()

    def after(self, event):
        """The current stream goes on when what `send` returned is there, with all that was sent before it."""
        torch.cuda.current_stream().wait_event(event)

    def close(self):
        pass


class HostLink:
    """The same order and the same promises as on a GPU: nothing is there before it was waited for."""

    def __init__(self, streams=True):
        self.down, self.up = (ThreadPoolExecutor(1) for _ in range(2)) if streams else (None, None)

    def fetch(self, pieces, target, norm):
        def copy():
            whole = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
            norm.copy_(torch.linalg.vector_norm(whole, dtype=torch.float32))
            target.copy_(whole)

        return self._run(self.down, torch.no_grad()(copy))

    def send(self, target, source):
        return self._run(self.up, torch.no_grad()(lambda: target.copy_(source)))

    @staticmethod
    def _run(way, copy):
        if way is None:
            copy()
        else:
            return way.submit(copy)

    def wait(self, event):
        if event is not None:
            event.result()

    after = wait

    def close(self):
        for way in (self.down, self.up):
            if way is not None:
                way.shutdown()
