"""Gradients as the backward pass makes them, and how they go to the host: mixin of OverlapOptimizer_Stage3."""

import torch
from deepspeed.accelerator import get_accelerator

from ..releases import at_boundary


class Gradients:

    def _begin_gradients(self):
        self._pieces, self._received, self._submitted = {}, set(), set()
        self._micro_step, self.accumulated = 0, {}

    def reduce_ready_partitions_and_remove_grads(self, param):
        if not self.resident:
            return super().reduce_ready_partitions_and_remove_grads(param)
        if self._coalesce_grad_reduction:  # taken once, when engine.coalesce_grad_reduction() ends
            return
        if getattr(param, "ds_grad_is_ready", True):
            self._take(param, param.grad.reshape(-1))
            param.grad = None

    @torch.no_grad()
    def partition_grads(self, params_to_release, grad_partitions):
        for param, partition in zip(params_to_release, grad_partitions):
            if param.partition_numel() * self._get_param_partition_rank(param) < param.ds_numel:
                piece = partition.reshape(-1)
                # Without reduce_scatter it is a part of the bucket, which is filled again before this is used.
                self._take(param, piece if self.reduce_scatter else piece.clone())
            if self.cuda and param.grad is not None:  # with overlap_comm the stream of this may still read it
                param.grad.record_stream(get_accelerator().current_stream())
            param.grad = None

    def zero_grad(self, set_to_none=True):
        super().zero_grad(set_to_none)
        self._drop_unused()

    def clear_backward_seen_flag(self):
        """A forward pass begins. Where no backward pass since the last step came to its end, what there is of one that
        failed does not count, as in ZeRO-3."""
        super().clear_backward_seen_flag()
        if self.micro_step_id == 0:
            self._drop_unused()

    def _drop_unused(self):
        if not self._submitted:
            self._forget_gradients()

    @torch.no_grad()
    def _take(self, param, gradient):
        i, offset, _ = self.grad_position[self.get_param_id(param)]
        if i in self._submitted:
            raise RuntimeError("superoffload: a parameter got a second gradient in one backward pass, after its first "
                               "was used already")
        if self._micro_step != self.micro_step_id:
            self._micro_step = self.micro_step_id
            self._pieces.clear()
        pieces = self._pieces.setdefault(i, {})
        if i in self.accumulated:
            place = self.accumulated[i][offset : offset + gradient.numel()]
            if (i, offset) in self._received:
                place.add_(gradient)
            else:
                place.copy_(gradient)
            gradient = place
        elif offset in pieces:
            gradient = pieces[offset] + gradient
        self._received.add((i, offset))
        pieces[offset] = gradient
        if at_boundary(self) and len(pieces) == len(self.fp16_groups[i]):
            self._submit(i)

    def _submit(self, i):
        """All gradients of a subgroup are there: they go to the host. What got none counts as zero."""
        self._submitted.add(i)
        pieces = self._pieces.pop(i, {})
        if i not in self.subgroups:
            return
        self._await(i)  # where its memory is still used for the weights of the last step
        if i in self.accumulated:
            pieces = [self.accumulated[i]]
        else:
            pieces = self._with_zeros(i, pieces)
        event = self.link.fetch(pieces, self.subgroups[i].gradient, self.subgroups[i].norm)
        self.stepper.submit(i, event, 1.0 / self.loss_scale, self._rates())
        self._last_fetch = event

    def _with_zeros(self, i, pieces):
        """The gradients of a subgroup in its order, each in its full (padded) length."""
        ordered = []
        for param in self.fp16_groups[i]:
            _, offset, count = self.grad_position[self.get_param_id(param)]
            piece = pieces.get(offset)
            if piece is None:
                piece = torch.zeros(count, dtype=self.dtype, device=self._flat_weights[i].device)
            elif piece.numel() < count:
                piece = torch.cat([piece, piece.new_zeros(count - piece.numel())])
            ordered.append(piece)
        return ordered

    def _submit_rest(self):
        """What got no gradient in the last micro-step."""
        for i in range(len(self.fp16_groups)):
            if i not in self._submitted:
                self._drop_stale(i)
                self._submit(i)

    def _drop_stale(self, i):
        """Where a parameter got no gradient in any micro-step, what is accumulated for it is of an earlier step."""
        if i not in self.accumulated:
            return
        for param in self.fp16_groups[i]:
            _, offset, count = self.grad_position[self.get_param_id(param)]
            if (i, offset) not in self._received:
                self.accumulated[i][offset : offset + count].zero_()

    def _forget_gradients(self):
        for record in (self._submitted, self._pieces, self._received):
            record.clear()
