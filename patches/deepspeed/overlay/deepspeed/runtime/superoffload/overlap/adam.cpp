// Adam for parameters in host memory, as a C library for ctypes, which lets go of Python's lock while it runs.
//
// One pass over memory: gradients are read in the format that they crossed the link in, and the 16-bit copy that goes
// back is written beside the new fp32 values. Where the new state goes may be another place than where the old one is;
// then the old one is still whole, and taking a step back is to use it again.
//
// The arithmetic is that of DeepSpeed's cpu_adam (the same operations in the same order, in fp32 with fused
// multiply-add), so that both give the same numbers.
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace {

constexpr int64_t kBlock = 256;          // elements that stay in the first-level cache together
constexpr int64_t kPiece = 256 * kBlock;  // elements that a thread takes at a time

enum Format { kNone = 0, kFloat = 1, kBfloat16 = 2, kHalf = 3 };

struct Step {
    const float *param, *momentum, *variance;
    float *new_param, *new_momentum, *new_variance;
    const void* gradient;
    void* copy;
    int64_t count;
    int gradient_format, copy_format;
    float beta1, beta2, eps, weight_decay, decay_factor, step_size, variance_factor, gradient_scale;
    bool adamw, in_place;
};

float from_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

uint32_t to_bits(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

float half_to_float(uint16_t half) {
    const uint32_t sign = uint32_t(half & 0x8000) << 16, exponent = (half >> 10) & 31, mantissa = half & 1023;
    if (exponent == 31) return from_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent == 0) {
        const float magnitude = float(mantissa) * 5.9604644775390625e-8f;  // 2^-24
        return sign ? -magnitude : magnitude;
    }
    return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t float_to_half(float value) {  // to the nearest, ties to even
    const uint32_t bits = to_bits(value), sign = (bits >> 16) & 0x8000, rest = bits & 0x7fffffff;
    if (rest > 0x7f800000) return sign | 0x7e00;
    if (rest >= 0x477ff000) return sign | 0x7c00;  // 65520 and above
    if (rest < 0x38800000) return sign | uint16_t(std::nearbyintf(from_bits(rest) * 16777216.0f));  // subnormal
    return sign | uint16_t((rest - 0x38000000 + 0xfff + ((rest >> 13) & 1)) >> 13);
}

void load(float* out, const void* from, int format, int64_t at, int64_t count) {
    if (format == kFloat) {
        std::memcpy(out, static_cast<const float*>(from) + at, count * sizeof(float));
        return;
    }
    const uint16_t* in = static_cast<const uint16_t*>(from) + at;
    if (format == kBfloat16) {
        for (int64_t i = 0; i < count; ++i) out[i] = from_bits(uint32_t(in[i]) << 16);
        return;
    }
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
#elif defined(__aarch64__)
    for (const __fp16* half = reinterpret_cast<const __fp16*>(in); i < count; ++i) out[i] = half[i];
#endif
    for (; i < count; ++i) out[i] = half_to_float(in[i]);
}

void store(void* to, int format, int64_t at, const float* in, int64_t count) {
    if (format == kFloat) {
        std::memcpy(static_cast<float*>(to) + at, in, count * sizeof(float));
        return;
    }
    uint16_t* out = static_cast<uint16_t*>(to) + at;
    if (format == kBfloat16) {
        for (int64_t i = 0; i < count; ++i) {
            const uint32_t bits = to_bits(in[i]);
            const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
            out[i] = (bits & 0x7fffffff) > 0x7f800000 ? uint16_t(0x7fc0) : uint16_t(rounded);
        }
        return;
    }
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(in + i), 0));
#elif defined(__aarch64__)
    for (__fp16* half = reinterpret_cast<__fp16*>(out); i < count; ++i) half[i] = __fp16(in[i]);
#endif
    for (; i < count; ++i) out[i] = float_to_half(in[i]);
}

// Writes around the caches: the old contents of the destination need not be read first.
void stream(float* out, const float* in, int64_t count) {
#if defined(__AVX512F__)
    if (count == kBlock && reinterpret_cast<uintptr_t>(out) % 64 == 0) {
        for (int64_t i = 0; i < kBlock; i += 16) _mm512_stream_ps(out + i, _mm512_loadu_ps(in + i));
        return;
    }
#elif defined(__AVX__)
    if (count == kBlock && reinterpret_cast<uintptr_t>(out) % 32 == 0) {
        for (int64_t i = 0; i < kBlock; i += 8) _mm256_stream_ps(out + i, _mm256_loadu_ps(in + i));
        return;
    }
#endif
    std::memcpy(out, in, count * sizeof(float));
}

template <bool adamw, bool decays>
void update(const Step& s, const float* g, const float* p, const float* m, const float* v, float* p2, float* m2,
            float* v2, int64_t count) {
    const float beta1 = s.beta1, beta2 = s.beta2, rest1 = 1 - s.beta1, rest2 = 1 - s.beta2, eps = s.eps;
    const float factor = s.variance_factor, size = s.step_size, decay = adamw ? s.decay_factor : s.weight_decay;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) {
        float gradient = g[i], param = p[i];
        if (decays && !adamw) gradient = __builtin_fmaf(param, decay, gradient);
        const float momentum = __builtin_fmaf(gradient, rest1, m[i] * beta1);
        const float variance = __builtin_fmaf(gradient * gradient, rest2, v[i] * beta2);
        const float change = momentum / __builtin_fmaf(__builtin_sqrtf(variance), factor, eps);
        if (decays && adamw) param = __builtin_fmaf(param, decay, param);
        p2[i] = __builtin_fmaf(change, size, param);
        m2[i] = momentum;
        v2[i] = variance;
    }
}

void step_piece(const Step& s, int64_t begin, int64_t end) {
    alignas(64) float g[kBlock], p[kBlock], m[kBlock], v[kBlock];
    const auto work = s.weight_decay > 0 ? (s.adamw ? update<true, true> : update<false, true>) : update<true, false>;
    for (int64_t at = begin; at < end; at += kBlock) {
        const int64_t count = end - at < kBlock ? end - at : kBlock;
        load(g, s.gradient, s.gradient_format, at, count);
        if (s.gradient_scale != 1.0f)
            for (int64_t i = 0; i < count; ++i) g[i] *= s.gradient_scale;
        float* const new_p = s.in_place ? s.new_param + at : p;
        work(s, g, s.param + at, s.momentum + at, s.variance + at, new_p, s.in_place ? s.new_momentum + at : m,
             s.in_place ? s.new_variance + at : v, count);
        if (s.copy_format != kNone) store(s.copy, s.copy_format, at, new_p, count);
        if (!s.in_place) {
            stream(s.new_param + at, p, count);
            stream(s.new_momentum + at, m, count);
            stream(s.new_variance + at, v, count);
        }
    }
#if defined(__x86_64__)
    if (!s.in_place) _mm_sfence();
#endif
}

class Pool {
public:
    Pool(int threads, const int* cores, int core_count) {
        for (int i = 0; i < threads; ++i) {
            const int core = core_count > 0 ? cores[i % core_count] : -1;
            workers_.emplace_back([this, core] { run(core); });
        }
    }

    ~Pool() {
        {
            std::lock_guard<std::mutex> guard(mutex_);
            ending_ = true;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    void step(const Step& step) {
        std::unique_lock<std::mutex> lock(mutex_);
        step_ = step;
        next_.store(0);
        running_ = int(workers_.size());
        round_.fetch_add(1);
        wake_.notify_all();
        done_.wait(lock, [this] { return running_ == 0; });
    }

private:
    void run(int core) {
        bind(core);
        uint64_t seen = 0;
        for (;;) {
            for (int i = 0; i < 2000 && round_.load() == seen; ++i) pause();  // some 100 us; steps follow one another
            Step step;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                wake_.wait(lock, [&] { return ending_ || round_.load() != seen; });
                if (ending_) return;
                seen = round_.load();
                step = step_;
            }
            for (int64_t at; (at = next_.fetch_add(kPiece)) < step.count;)
                step_piece(step, at, at + kPiece < step.count ? at + kPiece : step.count);
            std::lock_guard<std::mutex> guard(mutex_);
            if (--running_ == 0) done_.notify_all();
        }
    }

    static void bind(int core) {
#if defined(__linux__)
        pthread_setname_np(pthread_self(), "superoffload");
        if (core < 0) return;
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(core, &set);
        pthread_setaffinity_np(pthread_self(), sizeof set, &set);
#endif
    }

    static void pause() {
#if defined(__x86_64__)
        _mm_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }

    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    Step step_{};
    std::atomic<int64_t> next_{0};
    std::atomic<uint64_t> round_{0};
    int running_ = 0;
    bool ending_ = false;
};

}  // namespace

extern "C" {

void* superoffload_pool_create(int threads, const int* cores, int core_count) {
    return new Pool(threads, cores, core_count);
}

void superoffload_pool_destroy(void* pool) { delete static_cast<Pool*>(pool); }

void superoffload_adam(void* pool, const float* param, const float* momentum, const float* variance, float* new_param,
                       float* new_momentum, float* new_variance, const void* gradient, int gradient_format, void* copy,
                       int copy_format, int64_t count, float beta1_power, float beta2_power, float lr, float beta1,
                       float beta2, float eps, float weight_decay, int adamw, float gradient_scale) {
    Step s{};
    s.param = param, s.momentum = momentum, s.variance = variance;
    s.new_param = new_param, s.new_momentum = new_momentum, s.new_variance = new_variance;
    s.gradient = gradient, s.gradient_format = gradient_format, s.copy = copy, s.copy_format = copy_format;
    s.count = count, s.beta1 = beta1, s.beta2 = beta2, s.eps = eps, s.weight_decay = weight_decay;
    s.decay_factor = -1 * lr * weight_decay, s.step_size = -1 * lr / (1 - beta1_power);
    s.variance_factor = 1 / std::sqrt(1 - beta2_power), s.gradient_scale = gradient_scale, s.adamw = adamw != 0;
    s.in_place = param == new_param && momentum == new_momentum && variance == new_variance;
    static_cast<Pool*>(pool)->step(s);
}
}
