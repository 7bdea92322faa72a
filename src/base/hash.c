/* SipHash-1-3 (Aumasson and Bernstein, 2012), keyed with what the kernel gives each process. */
#include <base/hash.h>

#include <string.h>
#include <sys/auxv.h>

struct state {
    uint64_t a, b, c, d;
};

static uint64_t turn_left(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void mix(struct state *s)
{
    s->a += s->b;
    s->b = turn_left(s->b, 13) ^ s->a;
    s->a = turn_left(s->a, 32);
    s->c += s->d;
    s->d = turn_left(s->d, 16) ^ s->c;
    s->a += s->d;
    s->d = turn_left(s->d, 21) ^ s->a;
    s->c += s->b;
    s->b = turn_left(s->b, 17) ^ s->c;
    s->c = turn_left(s->c, 32);
}

static void add_word(struct state *s, uint64_t word)
{
    s->d ^= word;
    mix(s);
    s->a ^= word;
}

/* The kernel puts 16 random bytes into each new process; reading them needs no system call. */
static struct state keyed(void)
{
    uint64_t key[2] = { 0, 0 };
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    if (random)
        memcpy(key, random, sizeof key);
    return (struct state){ key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                           key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573) };
}

uint64_t fate__hash(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    struct state s = keyed();
    uint64_t word;

    for (size_t left = len; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        add_word(&s, word);
    }
    word = 0;
    memcpy(&word, at, len % 8);
    add_word(&s, word | (uint64_t)len << 56);

    s.c ^= 0xff;
    mix(&s);
    mix(&s);
    mix(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}
