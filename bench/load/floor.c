/* The floor: the least that a server of statuses can do, and so a measure for how much more another one does.
 *
 * One thread, one epoll set, one send() for each socket that has something at the end of a turn. It speaks as much of docs/protocol.md as
 * bench/load does: the upgrade with X-Status-Uid, "events", "status" with "timestamp", ping.
 *
 * What it leaves out, and a real server may not: logins, rules, limits, versions, a store, the current status for who begins to watch,
 * slow readers (what waits for a socket grows without bound), UIDs that are not 36 bytes long, messages in pieces, control of what is
 * in a message at all, a second core, TLS.
 *
 *   cc -O2 -o floor floor.c && ./floor PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UID = 36, EVENTS = 512, READ = 256 * 1024, KEEP = 4096 };

struct person {
    char uid[UID];
    int watchers, room;
    int *watcher; /* sockets */
};

struct client {
    int person; /* who it is; -1 before the upgrade */
    int watches, room;
    int *watch;     /* persons */
    char *in;       /* received, not a whole frame yet */
    char *out;      /* to be sent at the end of the turn */
    int inlen, outlen, outroom;
    char open, dirty, full;
};

static struct client *clients; /* by socket */
static struct person *people;
static int npeople, peopleroom;
static int *table, tablesize; /* hash of UIDs: person + 1 */
static int *dirty, ndirty;
static int set;
static char input[READ * 2];

static void *grown(void *old, int *room, size_t each) {
    *room = *room ? *room * 2 : 4;
    void *now = realloc(old, *room * each);
    if (!now) abort();
    return now;
}

static uint32_t hash(const char *uid) {
    uint32_t h = 2166136261u;
    for (int i = 0; i < UID; i++) h = (h ^ (uint8_t)uid[i]) * 16777619u;
    return h;
}

static void rehash(void) {
    free(table);
    tablesize = tablesize ? tablesize * 2 : 4096;
    table = calloc(tablesize, sizeof *table);
    for (int p = 0; p < npeople; p++) {
        uint32_t at = hash(people[p].uid) & (tablesize - 1);
        while (table[at]) at = (at + 1) & (tablesize - 1);
        table[at] = p + 1;
    }
}

static int person_of(const char *uid) {
    if (npeople * 2 >= tablesize) rehash();
    uint32_t at = hash(uid) & (tablesize - 1);
    for (; table[at]; at = (at + 1) & (tablesize - 1))
        if (!memcmp(people[table[at] - 1].uid, uid, UID)) return table[at] - 1;
    if (npeople == peopleroom) people = grown(people, &peopleroom, sizeof *people);
    memset(&people[npeople], 0, sizeof *people);
    memcpy(people[npeople].uid, uid, UID);
    table[at] = ++npeople;
    return npeople - 1;
}

static void watch(int socket, int person) {
    struct client *c = &clients[socket];
    struct person *p = &people[person];
    if (c->watches == c->room) c->watch = grown(c->watch, &c->room, sizeof *c->watch);
    if (p->watchers == p->room) p->watcher = grown(p->watcher, &p->room, sizeof *p->watcher);
    c->watch[c->watches++] = person;
    p->watcher[p->watchers++] = socket;
}

static void unwatch(int socket, int person) {
    struct client *c = &clients[socket];
    struct person *p = &people[person];
    for (int i = 0; i < c->watches; i++)
        if (c->watch[i] == person) { c->watch[i] = c->watch[--c->watches]; break; }
    for (int i = 0; i < p->watchers; i++)
        if (p->watcher[i] == socket) { p->watcher[i] = p->watcher[--p->watchers]; break; }
}

static void drop(int socket) {
    struct client *c = &clients[socket];
    while (c->watches) unwatch(socket, c->watch[c->watches - 1]);
    free(c->watch); free(c->in); free(c->out);
    char listed = c->dirty; /* it may still be in the list of this turn */
    memset(c, 0, sizeof *c);
    c->dirty = listed;
    close(socket);
}

static void listen_to(int socket, int operation, uint32_t events) {
    struct epoll_event e = { .events = EPOLLIN | events, .data.fd = socket };
    epoll_ctl(set, operation, socket, &e);
}

static void give(int socket, const void *bytes, int length) {
    struct client *c = &clients[socket];
    while (c->outroom - c->outlen < length) {
        if (!c->outroom) c->outroom = 128;
        c->out = grown(c->out, &c->outroom, 1);
    }
    memcpy(c->out + c->outlen, bytes, length);
    c->outlen += length;
    if (!c->dirty) { c->dirty = 1; dirty[ndirty++] = socket; }
}

static void flush(int socket) {
    struct client *c = &clients[socket];
    if (!c->open || !c->outlen) return;
    ssize_t sent = send(socket, c->out, c->outlen, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) { drop(socket); return; }
    if (sent < 0) sent = 0;
    c->outlen -= sent;
    if (c->outlen) memmove(c->out, c->out + sent, c->outlen);
    else if (c->outroom > KEEP) { free(c->out); c->out = NULL; c->outroom = 0; }
    if ((c->outlen > 0) != c->full) {
        c->full = c->outlen > 0;
        listen_to(socket, EPOLL_CTL_MOD, c->full ? EPOLLOUT : 0);
    }
}

static void publish(int person, const char *status, int statuslen, const char *time, int timelen) {
    char frame[256];
    struct person *p = &people[person];
    int length = snprintf(frame + 4, sizeof frame - 4, "{\"status\":%.*s,\"publisher\":\"%.36s\",\"timestamp\":\"%.*s\"}",
                          statuslen, status, p->uid, timelen, time);
    char *start = frame + 2;
    if (length < 126) { start[0] = (char)0x81; start[1] = (char)length; }
    else { start = frame; start[0] = (char)0x81; start[1] = 126; start[2] = 0; start[3] = (char)length; }
    length += frame + 4 - start;
    for (int i = 0; i < p->watchers; i++) give(p->watcher[i], start, length);
}

static void message(int socket, char *text, int length) {
    char *end = text + length, *at = memmem(text, length, "\"events\":{", 10);
    if (at) {
        /* "uid":9 or "uid":10, with commas between them */
        for (at += 10; end - at > UID + 3 && *at == '"'; ) {
            int person = person_of(at + 1);
            at += UID + 3;
            if (*at == '9') watch(socket, person); else unwatch(socket, person);
            while (at < end && *at != '"' && *at != '}') at++;
        }
    }
    char *status = memmem(text, length, "\"status\":", 9), *time = memmem(text, length, "\"timestamp\":\"", 13);
    if (status && time) {
        char *timeend = memchr(time + 13, '"', end - time - 13);
        if (timeend && timeend - time < 64) publish(clients[socket].person, status + 9, 1, time + 13, timeend - time - 13);
    }
}

static uint32_t rol(uint32_t x, int by) { return x << by | x >> (32 - by); }

/* Sec-WebSocket-Accept: SHA-1 (RFC 3174) of 60 bytes, which fill two blocks, in base64. */
static void accept_key(const char *key, char *answer) {
    uint8_t block[128] = { 0 }, digest[21] = { 0 };
    memcpy(block, key, 24);
    memcpy(block + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    block[60] = 0x80;
    block[126] = 60 * 8 >> 8; block[127] = 60 * 8 & 255;
    uint32_t h[5] = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0 };
    for (int b = 0; b < 128; b += 64) {
        uint32_t w[80], v[5];
        for (int i = 0; i < 16; i++) { memcpy(&w[i], block + b + 4 * i, 4); w[i] = ntohl(w[i]); }
        for (int i = 16; i < 80; i++) w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        memcpy(v, h, sizeof v);
        for (int i = 0; i < 80; i++) {
            uint32_t mix = i < 20 ? ((v[1] & v[2]) | (~v[1] & v[3])) + 0x5A827999
                         : i < 40 ? (v[1] ^ v[2] ^ v[3]) + 0x6ED9EBA1
                         : i < 60 ? ((v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])) + 0x8F1BBCDC
                                  : (v[1] ^ v[2] ^ v[3]) + 0xCA62C1D6;
            uint32_t next = rol(v[0], 5) + mix + v[4] + w[i];
            v[4] = v[3]; v[3] = v[2]; v[2] = rol(v[1], 30); v[1] = v[0]; v[0] = next;
        }
        for (int i = 0; i < 5; i++) h[i] += v[i];
    }
    for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - i % 4 * 8);
    for (int i = 0; i < 21; i += 3)
        for (int k = 0; k < 4; k++)
            *answer++ = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                [(digest[i] << 16 | digest[i + 1] << 8 | digest[i + 2]) >> (18 - 6 * k) & 63];
    answer[-1] = '='; /* 20 bytes: the last character stands for nothing */
    *answer = 0;
}

/* Returns the bytes of the request, 0 if it is not whole, -1 if it is none that we can serve. */
static int upgrade(int socket, char *text, int length) {
    char *end = memmem(text, length, "\r\n\r\n", 4), answer[256], key[32];
    if (!end) return length < READ ? 0 : -1;
    *end = 0;
    char *uid = strcasestr(text, "x-status-uid: "), *given = strcasestr(text, "sec-websocket-key: ");
    if (!uid || end - uid < 14 + UID || !given || end - given < 19 + 24) return -1;
    clients[socket].person = person_of(uid + 14);
    accept_key(given + 19, key);
    int bytes = snprintf(answer, sizeof answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", key);
    give(socket, answer, bytes);
    return end + 4 - text;
}

/* Returns the bytes of the frame, 0 if it is not whole, -1 if the connection is to end. */
static int frame(int socket, char *text, int length) {
    uint8_t *f = (uint8_t *)text;
    if (length < 6) return 0;
    int header = 2, size = f[1] & 127;
    if (size == 127) return -1;
    if (size == 126) { header = 4; size = f[2] << 8 | f[3]; }
    if (length < header + 4 + size) return 0;
    char *payload = text + header + 4;
    for (int i = 0; i < size; i++) payload[i] ^= text[header + (i & 3)];
    if ((f[0] & 15) == 1) message(socket, payload, size);
    else if ((f[0] & 15) == 9 && size < 126) {
        char pong[128] = { (char)0x8A, (char)size };
        memcpy(pong + 2, payload, size);
        give(socket, pong, size + 2);
    } else return -1;
    return header + 4 + size;
}

static void readable(int socket) {
    struct client *c = &clients[socket];
    int length = c->inlen, used = 0, step = 1;
    memcpy(input, c->in ? c->in : "", length);
    ssize_t got = recv(socket, input + length, READ - 1, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) { drop(socket); return; }
    length += got;
    input[length] = 0;
    while (step > 0 && used < length) {
        step = c->person < 0 ? upgrade(socket, input, length) : frame(socket, input + used, length - used);
        if (step < 0 || length - used > READ) { drop(socket); return; }
        used += step;
    }
    free(c->in);
    c->in = NULL;
    c->inlen = length - used;
    if (c->inlen) { c->in = malloc(c->inlen); memcpy(c->in, input + used, c->inlen); }
}

static void admit(int listener) {
    int socket, on = 1;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        clients[socket].open = 1;
        clients[socket].person = -1;
        listen_to(socket, EPOLL_CTL_ADD, 0);
    }
}

int main(int argc, char **argv) {
    struct rlimit files;
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    clients = calloc(files.rlim_max, sizeof *clients);
    dirty = calloc(files.rlim_max, sizeof *dirty);
    set = epoll_create1(0);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (argc != 2 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("usage: floor PORT");
        return 1;
    }
    listen_to(listener, EPOLL_CTL_ADD, 0);

    for (;;) {
        static struct epoll_event events[EVENTS];
        int count = epoll_wait(set, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int socket = events[i].data.fd;
            if (socket == listener) { admit(listener); continue; }
            if (clients[socket].open && events[i].events & EPOLLOUT) flush(socket);
            if (clients[socket].open && events[i].events & ~EPOLLOUT) readable(socket);
        }
        for (int i = 0; i < ndirty; i++) {
            clients[dirty[i]].dirty = 0;
            flush(dirty[i]);
        }
        ndirty = 0;
    }
}
