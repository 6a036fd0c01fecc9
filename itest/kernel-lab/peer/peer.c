// SPDX-License-Identifier: Apache-2.0
/*
 * The peer of the benchmark: the system calls that Ferry makes, made by a C program, to compare with.
 *
 *   peer ioctl GROUP UUID            time per call on a VFIO device, in nanoseconds
 *   peer stream GROUP UUID BYTES SOCKET  device state read from the kernel and sent to a sink's socket, in MB/s
 *   peer memory PATH SOCKET          the same from a file in memory
 *   peer hold BYTES COMMAND...       runs a command that has such a file at /proc/self/fd/9
 *   peer sink PATH                   reads all that comes to a UNIX socket, from one peer after the other
 *
 * Prints one line "name value" for each measurement: the best of its rounds, which least
 * else on the machine has disturbed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 8, CALLS = 2000, CHUNK = 1 << 20, HELD = 9, MOST_SECONDS = 900 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void keep(double *best, int larger, double value)
{
	if (!*best || (larger ? value > *best : value < *best))
		*best = value;
}

static void report(const char *name, double best)
{
	printf("%s %.0f\n", name, best);
	fflush(stdout);
}

static int open_device(const char *group_number, const char *uuid)
{
	char path[64];
	int container, group, device;

	container = open("/dev/vfio/vfio", O_RDWR);
	snprintf(path, sizeof(path), "/dev/vfio/%s", group_number);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0)
		die(path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) || ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	if (device < 0)
		die(uuid);
	return device;
}

static int state(int device, int set, uint32_t value)
{
	uint64_t buffer[2];
	struct vfio_device_feature *feature = (void *)buffer;
	struct vfio_device_feature_mig_state *mig = (void *)feature->data;

	feature->argsz = sizeof(buffer);
	feature->flags = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE | (set ? VFIO_DEVICE_FEATURE_SET : VFIO_DEVICE_FEATURE_GET);
	mig->device_state = value;
	mig->data_fd = -1;
	if (ioctl(device, VFIO_DEVICE_FEATURE, feature))
		die("VFIO_DEVICE_FEATURE");
	return mig->data_fd;
}

static void calls(int device)
{
	double get = 0, same = 0, pair = 0;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		double start = now();

		for (i = 0; i < CALLS; i++)
			state(device, 0, 0);
		keep(&get, 0, (now() - start) / CALLS);
		start = now();
		for (i = 0; i < CALLS; i++)
			state(device, 1, VFIO_DEVICE_STATE_RUNNING);
		keep(&same, 0, (now() - start) / CALLS);
		start = now();
		for (i = 0; i < CALLS; i++) {
			state(device, 1, VFIO_DEVICE_STATE_STOP);
			state(device, 1, VFIO_DEVICE_STATE_RUNNING);
		}
		keep(&pair, 0, (now() - start) / CALLS);
	}
	report("get-state-ns", get);
	report("set-same-state-ns", same);
	report("stop-and-run-ns", pair);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return address;
}

/* Sends all bytes of a descriptor to a sink, and waits until it has them all; returns how many. */
static uint64_t send_all(int from, const char *sink)
{
	struct sockaddr_un address = address_of(sink);
	int to = socket(AF_UNIX, SOCK_STREAM, 0);
	static char *buffer;
	uint64_t sent = 0;

	if (!buffer)
		buffer = aligned_alloc(4096, CHUNK);
	if (!buffer || to < 0 || connect(to, (void *)&address, sizeof(address)))
		die(sink);
	for (;;) {
		ssize_t got = read(from, buffer, CHUNK), at = 0;

		if (got < 0)
			die("read");
		if (!got)
			break;
		while (at < got) {
			ssize_t put = write(to, buffer + at, got - at);

			if (put < 0)
				die("write");
			at += put;
		}
		sent += got;
	}
	if (shutdown(to, SHUT_WR) || read(to, buffer, 1))
		die("shutdown");
	close(to);
	return sent;
}

static void stream(int device, uint64_t bytes, const char *sink)
{
	double best = 0;
	int round;

	/* BAR 0 of the lab's own device: register 0 is the size of its state. */
	if (pwrite(device, &bytes, sizeof(bytes), 0) != sizeof(bytes))
		die("STATE_BYTES");
	for (round = 0; round < ROUNDS; round++) {
		int data = state(device, 1, VFIO_DEVICE_STATE_STOP_COPY);
		double start = now();
		uint64_t sent = send_all(data, sink);

		if (sent < bytes)
			die("a stream that ended early");
		keep(&best, 1, sent / ((now() - start) / 1e9) / 1e6);
		close(data);
		state(device, 1, VFIO_DEVICE_STATE_RUNNING);
	}
	report("stream-MBps", best);
}

static void memory(const char *path, const char *sink)
{
	double best = 0;
	int round, data = open(path, O_RDONLY);

	if (data < 0)
		die(path);
	for (round = 0; round < ROUNDS; round++) {
		double start;
		uint64_t sent;

		lseek(data, 0, SEEK_SET);
		start = now();
		sent = send_all(data, sink);
		keep(&best, 1, sent / ((now() - start) / 1e9) / 1e6);
	}
	report("memory-MBps", best);
}

static void hold(uint64_t bytes, char **command)
{
	int data = memfd_create("peer", 0);
	void *pages;

	if (data < 0 || ftruncate(data, bytes) || dup2(data, HELD) != HELD)
		die("memfd_create");
	/* Touched, so that everybody finds the pages there. */
	pages = mmap(NULL, bytes, PROT_WRITE, MAP_SHARED, data, 0);
	if (pages == MAP_FAILED)
		die("mmap");
	memset(pages, 1, bytes);
	execvp(command[0], command);
	die(command[0]);
}

static void sink(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	char *buffer = aligned_alloc(4096, CHUNK);

	if (!buffer || listener < 0 || bind(listener, (void *)&address, sizeof(address)) || listen(listener, 1))
		die(path);
	alarm(MOST_SECONDS);
	for (;;) {
		int peer = accept(listener, NULL, NULL);

		if (peer < 0)
			die("accept");
		while (read(peer, buffer, CHUNK) > 0)
			;
		close(peer);
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "ioctl"))
		calls(open_device(argv[2], argv[3]));
	else if (argc == 6 && !strcmp(argv[1], "stream"))
		stream(open_device(argv[2], argv[3]), strtoull(argv[4], NULL, 10), argv[5]);
	else if (argc == 4 && !strcmp(argv[1], "memory"))
		memory(argv[2], argv[3]);
	else if (argc >= 4 && !strcmp(argv[1], "hold"))
		hold(strtoull(argv[2], NULL, 10), argv + 3);
	else if (argc == 3 && !strcmp(argv[1], "sink"))
		sink(argv[2]);
	else
		return fprintf(stderr, "peer ioctl GROUP UUID | stream GROUP UUID BYTES SOCKET | memory PATH SOCKET | ...\n"), 2;
	return 0;
}
