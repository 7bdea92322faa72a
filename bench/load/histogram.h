/* Latencies in a histogram whose bars are at most a 64th of their value wide. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H
#include <stdint.h>

enum { FINE_BITS = 6, N_BARS = 64 << FINE_BITS };

struct histogram {
    uint64_t bars[N_BARS], total;
};

/* Values below 64 have bars of their own; above, each power of two is divided into 64. */
static inline unsigned bar_of(uint64_t value)
{
    if (value < (1u << FINE_BITS))
        return (unsigned)value;
    unsigned power = 63u - (unsigned)__builtin_clzll(value);
    unsigned fine = (unsigned)(value >> (power - FINE_BITS)) & ((1u << FINE_BITS) - 1);
    return ((power - FINE_BITS + 1) << FINE_BITS) + fine;
}

/* The least value of a bar. */
static inline double value_of(unsigned bar)
{
    unsigned power = bar >> FINE_BITS;
    uint64_t fine = bar & ((1u << FINE_BITS) - 1);
    return power ? (double)((fine + (1u << FINE_BITS)) << (power - 1)) : (double)fine;
}

static inline void count(struct histogram *histogram, uint64_t value)
{
    histogram->bars[bar_of(value)]++;
    histogram->total++;
}

/* The value below which that part of all lies. */
static inline double quantile(const struct histogram *histogram, double part)
{
    uint64_t wanted = (uint64_t)(part * (double)histogram->total), seen = 0;
    for (unsigned i = 0; i < N_BARS; i++) {
        seen += histogram->bars[i];
        if (seen > wanted)
            return value_of(i);
    }
    return 0;
}
#endif
