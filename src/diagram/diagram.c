/* Diagrams: making, writing and freeing them. */
#include <diagram/record.h>

#include <errno.h>

#include <base/alloc.h>
#include <base/text.h>
#include <diagram/draw.h>

static void free_owned(struct fate__owned *owned)
{
    fate_diagram *diagram = fate_container_of(owned, fate_diagram, owned);

    fate__records_free(diagram);
    if (diagram->recorder)
        fate__recorder_close(diagram->recorder);
    fate__disown(owned);
    fate__free(diagram);
}

fate_diagram *fate_diagram_new(fate_deferred *d)
{
    bool has_memory = fate__check(d, "fate_diagram_new", NULL);
    struct fate__turns *turns = fate__turns_of(d);

    if (!has_memory)
        return (fate_diagram *)(void *)&turns->no_memory_thing;
    fate_diagram *diagram = fate__own(fate__reactor(turns), sizeof *diagram, free_owned, "fate_diagram_new");
    if (diagram->owned.is_no_memory)
        return diagram;
    diagram->recorder = fate__recorder_open(turns);
    if (diagram->recorder)
        fate__record_new(diagram, d, 0);
    return diagram;
}

/* The picture is made whole before any of it is written. */
static int write_text(const struct fate__text *svg, FILE *to)
{
    errno = 0;
    if (fwrite(svg->bytes, 1, svg->len, to) == svg->len && fflush(to) == 0)
        return 0;
    return errno ? -errno : -EIO;
}

int fate_diagram_write(const fate_diagram *diagram, FILE *to)
{
    struct fate__text svg = { 0 };

    if (diagram->owned.is_no_memory || !diagram->first)
        return -ENOMEM;
    fate__records_refresh(diagram);
    int status = fate__draw(diagram, &svg);
    if (status == 0)
        status = write_text(&svg, to);
    fate__text_done(&svg);
    return status;
}

void fate_diagram_free(fate_diagram *diagram)
{
    if (diagram && !diagram->owned.is_no_memory)
        free_owned(&diagram->owned);
}
