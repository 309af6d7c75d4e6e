"""Copies between GPU and host memory, each way on a stream of its own; on a CPU, plain copies."""

import torch


class CudaLink:
    """Gradients come down and weights go up at the same time, beside the compute stream."""

    def __init__(self):
        self.down, self.up = torch.cuda.Stream(), torch.cuda.Stream()

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
        """Begins to copy host memory to the GPU."""
        with torch.cuda.stream(self.up):
            target.copy_(source, non_blocking=True)

    def sent(self):
        """What the current stream must wait for before it reads what was sent."""
        return self.up.record_event()

    def after(self, event):
        torch.cuda.current_stream().wait_event(event)


class HostLink:
    def fetch(self, pieces, target, norm):
        whole = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
        norm.copy_(torch.linalg.vector_norm(whole, dtype=torch.float32))
        target.copy_(whole)

    def wait(self, event):
        pass

    def send(self, target, source):
        target.copy_(source)

    def sent(self):
        pass

    def after(self, event):
        pass
