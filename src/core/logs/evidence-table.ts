/** Lines that say why a run ended: one table, read from top to bottom, the first hit speaks. */
import { rule, type EvidenceRule } from './evidence-rule.ts';

export const generalEvidence: readonly EvidenceRule[] = [
  // The scheduler's word.
  rule(
    'host_oom',
    /oom[_-]kill event|: Out Of Memory$/,
    ['oom_kill event', 'oom-kill event', ': Out Of Memory'],
    'slurmstepd, srun',
  ),
  rule('time_limit', /CANCELLED AT \S+ DUE TO TIME LIMIT/, ['DUE TO TIME LIMIT'], 'slurmstepd'),
  rule(
    'preempted',
    /CANCELLED AT \S+ DUE TO (?:PREEMPTION|JOB REQUEUE)/,
    ['DUE TO PREEMPTION', 'DUE TO JOB REQUEUE'],
    'slurmstepd',
  ),
  rule('node_fail', /CANCELLED AT \S+ DUE TO NODE FAILURE/, ['DUE TO NODE FAILURE'], 'slurmstepd'),
  rule(
    'cancelled',
    /\*\*\* (?:JOB|STEP) \S+ (?:ON \S+ )?CANCELLED AT \S+ \*\*\*/,
    [' CANCELLED AT '],
    'slurmstepd; follows every scancel, also the one that Slurm does itself after a failure',
    { cascade: true },
  ),

  // Memory. A failing pin is the host's, though CUDA reports it; every other CUDA one is the GPU's.
  rule('host_oom', /CUDA error: out of memory/, ['CUDA error: '], 'torch pin_memory; cudaHostAlloc', {
    afterPinning: true,
  }),
  rule(
    'host_oom',
    /cudaHostAlloc\b.*(?:fail|error|out of memory)|cannot allocate pinned memory/i,
    ['cudaHostAlloc', 'pinned memory'],
    'CUDA runtime',
  ),
  rule(
    'host_oom',
    /DefaultCPUAllocator: (?:can't allocate memory|not enough memory)/,
    ['DefaultCPUAllocator'],
    'torch c10/core/impl/alloc_cpu.cpp',
  ),
  rule(
    'host_oom',
    /^(?:\S*_ArrayMemoryError|MemoryError)\b|\[Errno 12\] Cannot allocate memory|std::bad_alloc/,
    ['MemoryError', '[Errno 12]', 'std::bad_alloc'],
    'numpy, CPython, C++',
  ),
  rule(
    'gpu_oom',
    /torch\.(?:cuda\.)?OutOfMemoryError|CUDA out of memory|CUDA error: out of memory|Cuda failure \d+ 'out of memory'/,
    ['OutOfMemoryError', 'CUDA out of memory', 'CUDA error: ', 'Cuda failure'],
    'torch c10/cuda/CUDACachingAllocator.cpp, NCCL',
  ),
  rule(
    'shm_full',
    /insufficient shared memory \(shm\)|out of shared memory|\/dev\/shm\S*.*No space left on device|unable to (?:write to|mmap|allocate shared memory).*(?:<\/torch_|shm).*(?:No space left|\(28\)|Cannot allocate)/,
    ['shared memory', 'No space left on device', 'unable to write to', 'unable to mmap'],
    'torch DataLoader, torch shared memory, NCCL',
  ),

  // SuperOffload's optimizer process.
  rule(
    'worker_dead',
    /Worker process is not alive|SuperOffload CPU optimizer timeout after|Error in worker process:/,
    ['Worker process is not alive', 'SuperOffload CPU optimizer', 'Error in worker process'],
    'deepspeed/runtime/superoffload',
  ),
  rule(
    'loss_scale_floor',
    /Current loss scale already at minimum/,
    ['loss scale already at minimum'],
    'deepspeed/runtime/fp16/loss_scaler.py',
  ),
  rule(
    'nccl_timeout',
    /Watchdog caught collective operation timeout|Timed out waiting \d+ms for (?:recv|send) operation/,
    ['Watchdog caught', 'Timed out waiting'],
    'torch ProcessGroupNCCL.cpp; gloo',
  ),

  // What is wrong before anything runs.
  rule(
    'config_error',
    /Check batch related parameters\.|Gradient accumulation steps: \d+ has to be greater than 0|(?:Train|Micro) batch size(?: per gpu)?: \S+ has to be greater than 0|Train batch size must be divisible by|global batch size \(\d+\) is not divisible by micro batch size|[Ee]ither train_batch_size or train_micro_batch_size_per_gpu/,
    [
      'Check batch related',
      'has to be greater than 0',
      'must be divisible',
      'is not divisible by',
      'train_batch_size or',
    ],
    'deepspeed/runtime/config.py, megatron/microbatches.py',
  ),
  rule(
    'config_error',
    /Extra inputs are not permitted|modes cannot be simultaneously enabled|validation errors? for DeepSpeed|is not supported on your device|SuperOffload only supports NVIDIA CUDA|DeepSpeedConfigError|JSONDecodeError/,
    [
      'Extra inputs',
      'simultaneously enabled',
      'validation error',
      'not supported on your device',
      'SuperOffload only supports',
      'DeepSpeedConfigError',
      'JSONDecodeError',
    ],
    'deepspeed/runtime/config.py, pydantic, json',
  ),
  rule(
    'config_error',
    /^config error: |: error: (?:unrecognized arguments|argument |the following arguments are required)|'weight' must be 2-D|expected m1 and m2 to have the same dtype/,
    [
      'config error: ',
      ': error: unrecognized arguments',
      ': error: argument ',
      ': error: the following arguments',
      "'weight' must be",
      'expected m1 and m2',
    ],
    'the built-in trainer; argparse; zero.Init without stage 3; --fp16 with a bf16 JSON',
  ),
  rule(
    'install_error',
    /^(?:ModuleNotFoundError|ImportError): |No module named |Unable to JIT load|Error building extension|Ninja is required to load C\+\+|CUDAMismatchException|CUDA_HOME (?:does not exist|environment variable is not set)|cannot open shared object file|invalid literal for int\(\) with base 10: '0a'/,
    [
      'ModuleNotFoundError',
      'ImportError',
      'No module named',
      'Unable to JIT load',
      'Error building extension',
      'Ninja is required',
      'CUDAMismatchException',
      'CUDA_HOME does not exist',
      'CUDA_HOME environment',
      'cannot open shared object',
      'invalid literal for int',
    ],
    'CPython, torch cpp_extension, deepspeed/ops/op_builder',
  ),
  rule(
    'launch_error',
    /EADDRINUSE|[Aa]ddress already in use|Permission denied \(publickey|Permission denied, please try again|ssh: connect to host|ssh exited with exit code 255|Host key verification failed|Could not resolve hostname|Bad hostfile text|Command 'ssh .* returned non-zero exit status/,
    [
      'EADDRINUSE',
      'ddress already in use',
      'Permission denied',
      'ssh: connect',
      'ssh exited',
      'Host key verification',
      'Could not resolve hostname',
      'Bad hostfile',
      "Command 'ssh",
    ],
    'c10d TCPStore, ssh, deepspeed/launcher/runner.py',
  ),
  rule(
    'launch_error',
    /can't open file '.*': \[Errno 2\]|Timed out initializing process group|DistStoreError|srun: error: Unable to (?:create step|allocate resources)|No slot '\d+' specified on host/,
    [
      "can't open file",
      'Timed out initializing',
      'DistStoreError',
      'srun: error: Unable',
      'specified on host',
    ],
    'CPython, c10d, srun, deepspeed/launcher/runner.py',
  ),

  // A process that died; why is not known from this alone.
  rule(
    'killed_unknown',
    /^(?:\S+: line \d+: +\d+ )?Killed\b(?! by)|Signal 9 \(SIGKILL\) received by PID/,
    ['Killed', 'Signal 9 (SIGKILL)'],
    'shell, torchrun',
  ),
  rule(
    'crash',
    /Segmentation fault|Bus error|terminate called|Fatal Python error|CUBLAS_STATUS_|CUDA error: |ncclUnhandledCudaError|ncclSystemError|ncclInternalError|ncclRemoteError/,
    [
      'Segmentation fault',
      'Bus error',
      'terminate called',
      'Fatal Python error',
      'CUBLAS_STATUS_',
      'CUDA error: ',
      'ncclUnhandled',
      'ncclSystem',
      'ncclInternal',
      'ncclRemote',
    ],
    'libc, libstdc++, CPython, cuBLAS, CUDA, NCCL',
  ),
  rule(
    'crash',
    /Connection (?:closed|reset) by peer|Broken pipe|ChildFailedError|Signal \d+ \(SIG[A-Z]+\) received by PID|caught collective|Exception \(either an error or timeout\) detected by watchdog/,
    [
      'closed by peer',
      'reset by peer',
      'caught collective',
      'Broken pipe',
      'ChildFailedError',
      'received by PID',
      'detected by watchdog',
    ],
    'gloo, torchrun, NCCL: another process went first',
    { cascade: true },
  ),
];
