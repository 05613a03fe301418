/* Calls a function of an AVR program under libsimavr, once a point, and tells the exact cycles.
 *
 *   runner MCU ENTRY FIRST LAST FLOOR POINT_BYTES RESULT_BYTES FLASH RAM POINTS RESULTS
 *
 * ENTRY, and FIRST and behind LAST of the harness, are byte addresses in FLASH; FLOOR is the first
 * free address of RAM. FLASH, RAM (from address 0) and POINTS are files with bytes; one point after
 * the other is laid at FLOOR and its result, RESULT_BYTES behind it, added to the file RESULTS.
 * Printed: the cycles of each call outside the harness, a line each, then the deepest stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/sim_avr.h>
#include <simavr/sim_core.h>

enum { PAINT = 0xa5, SPL = 0x5d, SPH = 0x5e, FAULT = 3, SETTLED = 8 };

static int fault(const char *what, unsigned long where)
{
    fprintf(stderr, "%s at address 0x%lx\n", what, where);
    return FAULT;
}

static long load(const char *path, uint8_t *to, long room)
{
    FILE *file = fopen(path, "rb");
    long size;
    if (!file) return -1;
    size = (long)fread(to, 1, (size_t)room, file);
    if (fgetc(file) != EOF) size = -1;
    fclose(file);
    return size;
}

static unsigned stack_pointer(const avr_t *avr)
{
    return avr->data[SPL] | (unsigned)avr->data[SPH] << 8;
}

int main(int count, char **argument)
{
    avr_t *avr;
    FILE *points, *results;
    unsigned long entry, first, last, floor, point_bytes, result_bytes;
    unsigned long back, limit, deepest = 0;
    uint8_t *initial;

    if (count != 12) return 2;
    entry = strtoul(argument[2], NULL, 0);
    first = strtoul(argument[3], NULL, 0);
    last = strtoul(argument[4], NULL, 0);
    floor = strtoul(argument[5], NULL, 0);
    point_bytes = strtoul(argument[6], NULL, 0);
    result_bytes = strtoul(argument[7], NULL, 0);
    avr = avr_make_mcu_by_name(argument[1]);
    if (!avr) return 2;
    avr_init(avr);
    avr->log = LOG_NONE;
    limit = floor + point_bytes + result_bytes;
    initial = calloc(1, (size_t)avr->ramend + 1);
    points = fopen(argument[10], "rb");
    results = fopen(argument[11], "wb");
    if (!initial || !points || !results) return 2;
    if (load(argument[8], avr->flash, (long)avr->flashend + 1) < 0)
        return fault("the flash is full", avr->flashend);
    if (limit + 64 > avr->ramend || load(argument[9], initial, (long)avr->ramend + 1) < 0)
        return fault("static variables fill the RAM, which ends", avr->ramend);
    memcpy(avr->data + 0x100, initial + 0x100, avr->ramend + 1u - 0x100u);
    back = avr->flashend - 1ul; /* nothing is run there: the return ends the call */

    for (;;) {
        unsigned i, low = 0, caller = 0;
        unsigned long cycles = 0, lowest;
        memset(avr->data + floor, 0, avr->ramend + 1u - floor);
        if (fread(avr->data + floor, 1, point_bytes, points) != point_bytes) break;
        memset(avr->data + limit, PAINT, avr->ramend + 1u - limit);
        memset(avr->data, 0, 32);
        memset(avr->sreg, 0, sizeof avr->sreg);
        /* The arguments of the harness: point, result, 1. */
        avr->data[24] = floor & 0xff;
        avr->data[25] = floor >> 8;
        avr->data[22] = (floor + point_bytes) & 0xff;
        avr->data[23] = (floor + point_bytes) >> 8;
        avr->data[20] = 1;
        for (i = 0; i < avr->address_size; i++)
            avr->data[avr->ramend - i] = (back / 2) >> (8 * i) & 0xff;
        avr->data[SPL] = (avr->ramend - avr->address_size) & 0xff;
        avr->data[SPH] = (avr->ramend - avr->address_size) >> 8;
        avr->pc = (avr_flashaddr_t)entry;
        avr->state = cpu_Running;
        while (avr->pc != back) {
            const unsigned long at = avr->pc;
            const avr_cycle_count_t before = avr->cycle;
            const int outside = at < first || at >= last;
            if (outside && !caller) caller = stack_pointer(avr);
            avr->run_cycle_count = 1; /* one instruction, not a run of them */
            avr->pc = avr_run_one(avr);
            if (avr->state != cpu_Running) return fault("the program faults", at);
            if (outside) cycles += (unsigned long)(avr->cycle - before);
            /* Moving the pointer takes two writes: a low one must stay low to count. */
            low = stack_pointer(avr) < limit ? low + 1 : 0;
            if (low > SETTLED) return fault("the stack runs into static variables", at);
        }
        if (fwrite(avr->data + floor + point_bytes, 1, result_bytes, results) != result_bytes)
            return 2;
        printf("%lu\n", cycles);
        for (lowest = limit; lowest < avr->ramend && avr->data[lowest] == PAINT; lowest++) {}
        if (caller >= lowest && caller - lowest + 1 > deepest) deepest = caller - lowest + 1;
    }
    printf("%lu\n", deepest);
    free(initial);
    fclose(points);
    return fclose(results) ? 2 : 0;
}
