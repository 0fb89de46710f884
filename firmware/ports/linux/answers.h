/*
 * Samples that links gave to the threads (threads.h), and the answers that they are owed: each link gets them
 * in the order of its requests.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "goodness.h"

#define ANSWERS_LINKS 4

typedef enum {
    ANSWERS_NONE, /* the request that waits, if there is one, is ff_link_step()'s */
    ANSWERS_MORE, /* something was done: look again */
    ANSWERS_WAIT  /* nothing can be done before a sample is through: poll threads_event() */
} answers_state;

/* Another client is on the link: what is owed to the one before is dropped. */
void answers_forget(int link);

/* Gives the link an answer that it is owed, or the threads a sample that it has. The answer before must have
 * been taken from the link. */
answers_state answers_work(ff_device *device, ff_link *link, int number);

#endif
