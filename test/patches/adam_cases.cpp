// Steps of adam.cpp with inputs made here, and a hash of all results: the same on every processor and with every set of
// instructions. c++ ... -DADAM='"path/adam.cpp"' adam_cases.cpp
#include ADAM

#include <cstdio>

namespace {

uint64_t state;

float uniform() {  // -1 to 1
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return float(int32_t(state >> 32)) / 2147483648.0f;
}

struct Hash {
    uint64_t value = 1469598103934665603ull;
    void add(const void* from, size_t bytes) {
        const auto* at = static_cast<const unsigned char*>(from);
        for (size_t i = 0; i < bytes; ++i) value = (value ^ at[i]) * 1099511628211ull;
    }
};

void steps(void* pool, int gradient_format, int copy_format, bool in_place, float decay, int adamw) {
    const int64_t count = 100003;
    std::vector<float> parts[6];
    for (auto& part : parts) part.resize(count);
    std::vector<uint32_t> gradient(count), copy(count);
    state = 1;
    for (int64_t i = 0; i < count; ++i) {
        parts[0][i] = uniform(), parts[1][i] = 1e-3f * uniform();
        parts[2][i] = i % 7 == 0 ? 0.0f : 1e-6f * (1 + uniform());
    }
    Hash hash;
    float power1 = 1, power2 = 1;
    for (int step = 1; step <= 3; ++step) {
        power1 *= 0.9f, power2 *= 0.95f;
        std::vector<float> wide(count);
        for (auto& value : wide) value = 1e-2f * uniform();
        store(gradient.data(), gradient_format, 0, wide.data(), count);
        float* to[3];
        for (int i = 0; i < 3; ++i) to[i] = parts[in_place ? i : 3 + i].data();
        superoffload_adam(pool, parts[0].data(), parts[1].data(), parts[2].data(), to[0], to[1], to[2], gradient.data(),
                          gradient_format, copy.data(), copy_format, count, power1, power2, 1e-2f, 0.9f, 0.95f, 1e-8f,
                          decay, adamw, 0.5f);
        for (auto* part : to) hash.add(part, count * sizeof(float));
        hash.add(copy.data(), count * (copy_format == kFloat ? 4 : 2));
        if (!in_place)
            for (int i = 0; i < 3; ++i) parts[i].swap(parts[3 + i]);
    }
    std::printf("adam %d %d %d %g %d %016llx\n", gradient_format, copy_format, int(in_place), double(decay), adamw,
                static_cast<unsigned long long>(hash.value));
}

// Every half to fp32 and back, and floats between them, subnormal and too large ones too.
void halves() {
    std::vector<uint16_t> in, out;
    for (int bits = 0; bits < 65536; ++bits)
        if ((bits & 0x7fff) <= 0x7c00) in.push_back(uint16_t(bits));
    std::vector<float> wide(in.size()), scalar(in.size());
    load(wide.data(), in.data(), kHalf, 0, int64_t(in.size()));
    for (size_t i = 0; i < in.size(); ++i) scalar[i] = half_to_float(in[i]);
    int different = std::memcmp(wide.data(), scalar.data(), 4 * wide.size()) != 0;
    Hash hash;
    for (float factor : {1.0f, 1.0003f, 1.00049f, 0.9997f, 3.1f}) {
        std::vector<float> between(wide);
        for (auto& value : between) value *= factor;
        out.assign(in.size(), 0);
        store(out.data(), kHalf, 0, between.data(), int64_t(out.size()));
        for (size_t i = 0; i < out.size(); ++i) different += out[i] != float_to_half(between[i]);
        hash.add(out.data(), 2 * out.size());
    }
    std::printf("halves %016llx different %d\n", static_cast<unsigned long long>(hash.value), different);
}

}  // namespace

int main() {
    void* pool = superoffload_pool_create(3, nullptr, 0);
    for (int gradient : {1, 2, 3})
        for (int copy : {1, 2, 3})
            for (bool in_place : {false, true}) steps(pool, gradient, copy, in_place, 0.1f, 1);
    steps(pool, 2, 2, true, 0.0f, 1);
    steps(pool, 2, 2, false, 0.1f, 0);
    superoffload_pool_destroy(pool);
    halves();
}
