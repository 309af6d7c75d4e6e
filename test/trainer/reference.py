"""Plain PyTorch AdamW, in fp32 in one process: what every way of offloading must follow.

It takes the trainer's arguments, and of the DeepSpeed JSON only gradient_clipping. Model and data are the trainer's;
the schedule, the weight decay, the order of the samples and the step are written again, from PyTorch alone. A step is
one backward pass over the whole global batch.
"""

import json

import torch
from arguments import parse_arguments
from data import MarkovChain
from model import GPT


def main():
    args = parse_arguments()
    with open(args.deepspeed_config) as file:
        clipping = json.load(file)["gradient_clipping"]
    vocab = args.make_vocab_size_divisible_by
    assert args.vocab_size <= vocab and not (args.bf16 or args.fp16)

    torch.manual_seed(args.seed)
    model = GPT(args, vocab)
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    groups = [{"params": matrices, "weight_decay": args.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.95), eps=1e-8)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.train_iters, args.min_lr)
    data = MarkovChain(vocab, args.seq_length, args.seed)

    batch = args.global_batch_size
    for iteration in range(1, args.train_iters + 1):
        samples = range((iteration - 1) * batch, iteration * batch)
        loss = model(torch.stack([torch.from_numpy(data.sample(n)) for n in samples]))
        loss.backward()
        if clipping:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clipping)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        print(f" iteration {iteration} | lm loss: {loss.item():.6E} |")
    print(f" training finished | iterations: {iteration} |")


if __name__ == "__main__":
    main()
