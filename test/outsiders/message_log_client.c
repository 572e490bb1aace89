/*
 * A message-log client written from the protocol document alone: C99 and BSD sockets.
 *
 *     message_log_client HOST PORT NAME PASSWORD MESSAGE...
 *
 * prints every reply byte in hex, one a line. Exit status: 0 as expected, 1 the server refused, 2 usage,
 * 3 a surprise (one line on standard error).
 */
#define _POSIX_C_SOURCE 200112L

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

enum { NAME = 1, PASSWORD = 2, MESSAGE = 3, CLOSE = 4 };
enum { EXIT_AS_EXPECTED = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_SURPRISE = 3 };

static int surprise(const char *transaction, const char *what)
{
    fprintf(stderr, "message-log client: %s: %s\n", transaction, what);
    return EXIT_SURPRISE;
}

/* The last bound on the run time, whatever the server does. */
static void too_long(int signal_number)
{
    static const char line[] = "message-log client: the dialogue took longer than 30 s\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)signal_number;
    (void)written;
    _exit(EXIT_SURPRISE);
}

static int dial(const char *host, const char *port)
{
    struct addrinfo hints, *found, *at;
    struct timeval patience = {10, 0};
    int fd = -1;

    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    for (at = found; at != NULL; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
            break;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static int send_all(int fd, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, 0);
        if (sent <= 0)
            return -1;
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}

/* After a refusal or a CLOSE the server says nothing more and closes. */
static int expect_end(int fd, const char *transaction)
{
    unsigned char more;
    ssize_t count = recv(fd, &more, 1, 0);
    if (count > 0)
        return surprise(transaction, "answered twice");
    if (count < 0)
        return surprise(transaction, "answered, but the connection was reset or left open");
    return EXIT_AS_EXPECTED;
}

static int reply_to(int fd, const char *transaction)
{
    unsigned char reply;
    ssize_t count = recv(fd, &reply, 1, 0);
    if (count == 0)
        return surprise(transaction, "the server closed without a reply");
    if (count < 0)
        return surprise(transaction, "no reply");
    printf("%02x\n", reply);
    if (reply == 0x00)
        return EXIT_AS_EXPECTED;
    if (reply == 0xff) {
        int end = expect_end(fd, transaction);
        if (end != EXIT_AS_EXPECTED)
            return end;
        fprintf(stderr, "message-log client: %s refused\n", transaction);
        return EXIT_REFUSED;
    }
    return surprise(transaction, "a reply that is neither 00 nor ff");
}

static int transact(int fd, int code, const char *payload, const char *transaction)
{
    size_t length = strlen(payload);
    /* Byte by byte: the length is little-endian whatever this machine is. */
    unsigned char head[3] = {(unsigned char)code, (unsigned char)(length & 0xff), (unsigned char)(length >> 8)};

    /* Head and payload in two segments, as old clients do: the server must not care. */
    if (length > 0xffff)
        return surprise(transaction, "a payload is at most 65535 bytes");
    if (send_all(fd, head, sizeof head) != 0 || send_all(fd, (const unsigned char *)payload, length) != 0)
        return surprise(transaction, "could not be sent");
    return reply_to(fd, transaction);
}

static int converse(int fd, int count, char **words)
{
    const unsigned char goodbye = CLOSE;
    int outcome = transact(fd, NAME, words[0], "NAME");

    if (outcome == EXIT_AS_EXPECTED)
        outcome = transact(fd, PASSWORD, words[1], "PASSWORD");
    for (int at = 2; at < count && outcome == EXIT_AS_EXPECTED; at++)
        outcome = transact(fd, MESSAGE, words[at], "MESSAGE");
    if (outcome != EXIT_AS_EXPECTED)
        return outcome;
    /* CLOSE is complete at its first byte. */
    if (send_all(fd, &goodbye, 1) != 0)
        return surprise("CLOSE", "could not be sent");
    outcome = reply_to(fd, "CLOSE");
    return outcome == EXIT_AS_EXPECTED ? expect_end(fd, "CLOSE") : outcome;
}

int main(int argc, char **argv)
{
    int fd, outcome;

    if (argc < 5) {
        fprintf(stderr, "usage: %s HOST PORT NAME PASSWORD MESSAGE...\n", argv[0]);
        return EXIT_USAGE;
    }
    /* A server that closes early must be an error of send, not the end of this process. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, too_long);
    alarm(30);
    fd = dial(argv[1], argv[2]);
    if (fd < 0)
        return surprise("connect", "nobody listens there");
    outcome = converse(fd, argc - 3, argv + 3);
    close(fd);
    return outcome;
}
