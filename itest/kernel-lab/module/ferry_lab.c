// SPDX-License-Identifier: GPL-2.0
/*
 * A mediated device whose migration can be steered by its user: the parts of the VFIO migration
 * interface that the kernel's mtty sample has no use for. State of any size, dirty bytes that come
 * and go, ENOMSG, arcs that fail on demand and leave the device where it was or in ERROR, new
 * initial data (VFIO_PRECOPY_INFO_REINIT), and DMA logging with a real bitmap.
 *
 * Steered by BAR 0 (region 0): 64-bit registers, host byte order, 8-byte accesses only. STATE_BYTES,
 * INITIAL_BYTES, MAKE_DIRTY and REINIT take at most 1 TiB.
 *
 *   0x00 STATE_BYTES   rw  size of the device state proper (default 4 KiB)
 *   0x08 SEED          rw  what the state consists of; survives a migration, like the registers of
 *                          a device
 *   0x10 SCRATCH       rw  eight bytes of guest data; survives a migration
 *   0x18 INITIAL_BYTES rw  size of the initial data of a pre-copy (default 256)
 *   0x20 MAKE_DIRTY    w   appends so many bytes of changed state to an open pre-copy
 *   0x28 REINIT        w   appends so many bytes of new initial data to an open pre-copy
 *   0x30 FAIL_ARC      rw  from << 8 | to: this arc fails, once; 0: none
 *   0x38 FAIL_ERRNO    rw  with this errno (default EIO) ...
 *   0x40 FAIL_TO_ERROR rw  ... and 1: the device is in ERROR afterwards
 *   0x48 FAIL_DATA     rw  n > 0: the data descriptor fails with EIO after n more bytes, once
 *   0x50 DMA_IOVA      rw  where DMA_WRITE writes
 *   0x58 DMA_WRITE     w   so many bytes count as written by the device, from DMA_IOVA on
 *   0x60 LOADED_BYTES  r   size of the state that was loaded last, 0 after reset
 *   0x68 HOLD_ARC      rw  from << 8 | to: this arc waits until the process that asked for it is
 *                          being killed (ten minutes at most), and then is taken, once; 0: none
 *   0x70 HELD          r   1: a process waits in that arc, or in that read or write
 *   0x78 POLL_READY    rw  1: a poll says that there are data to read where a read gives ENOMSG
 *   0x80 HOLD_DATA     rw  1: the next read or write of device data waits in the same way, once
 *
 * A stream is a sequence of chunks: kind u32, reserved u32, seed u64, scratch u64, length u64, then
 * length bytes of the pattern of the seed. Exactly one chunk of kind STATE ends it; the receiver
 * checks every byte.
 *
 * Locks, outermost first: state_mutex, reset_mutex or a session's lock, register_lock. log_lock is
 * taken alone.
 */
#include <linux/anon_inodes.h>
#include <linux/device.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vfio.h>

#define FL_NAME "ferry"
#define FL_DEVICES 32
#define FL_REGION_SHIFT 40
#define FL_BAR_BYTES SZ_4K
#define FL_CONFIG_BYTES 256
#define FL_MAX_CHUNKS 256
#define FL_LOG_PAGE SZ_4K
#define FL_MAX_LOG_PAGES BIT(20)
#define FL_MAX_BYTES BIT_ULL(40)
#define FL_BOUNCE_BYTES SZ_64K
#define FL_MAX_HOLD_MS 600000
#define FL_HOLD_POLL_MS 20

enum fl_register {
	FL_STATE_BYTES, FL_SEED, FL_SCRATCH, FL_INITIAL_BYTES, FL_MAKE_DIRTY, FL_REINIT,
	FL_FAIL_ARC, FL_FAIL_ERRNO, FL_FAIL_TO_ERROR, FL_FAIL_DATA, FL_DMA_IOVA, FL_DMA_WRITE,
	FL_LOADED_BYTES, FL_HOLD_ARC, FL_HELD, FL_POLL_READY, FL_HOLD_DATA, FL_REGISTERS
};

enum fl_kind { FL_INITIAL = 1, FL_DIRTY = 2, FL_STATE = 3 };

struct fl_header {
	u32 kind;
	u32 reserved;
	u64 seed;
	u64 scratch;
	u64 length;
};

struct fl_chunk {
	struct fl_header header;
	u64 done; /* bytes of header and pattern read so far */
};

struct fl_device;

/*
 * One data transfer session; lives as long as its descriptor, dead as soon as the device has left
 * its states.
 */
struct fl_session {
	struct file *filp;
	struct fl_device *device;
	struct mutex lock; /* all below */
	wait_queue_head_t changed;
	bool dead;
	bool complete; /* saving: STOP_COPY was reached; resuming: the STATE chunk is in */
	bool broken;   /* resuming: the stream was refused */
	bool reinit;
	/* saving: chunks [first, count) are not read to their end */
	unsigned int first, count;
	struct fl_chunk chunks[FL_MAX_CHUNKS];
	/* resuming */
	struct fl_chunk loading;
};

struct fl_device {
	struct vfio_device vdev;
	struct mutex state_mutex; /* state and sessions */
	struct mutex reset_mutex; /* deferred_reset */
	enum vfio_device_mig_state state;
	bool deferred_reset;
	struct fl_session *saving, *resuming;
	struct mutex register_lock; /* registers and config */
	u64 registers[FL_REGISTERS];
	u8 config[FL_CONFIG_BYTES];
	struct mutex log_lock; /* the log */
	unsigned long *log; /* one bit per page from log_first on; NULL: not logging */
	unsigned long log_first, log_pages;
};

/* ---- the pattern of a seed ---- */

static u64 fl_word(u64 seed, u64 index)
{
	return seed ^ (index * 0x9e3779b97f4a7c15ULL);
}

static void fl_pattern(u64 seed, u64 at, u8 *into, size_t length)
{
	size_t i = 0;

	while (i < length && (at + i) % 8) {
		into[i] = fl_word(seed, (at + i) / 8) >> (8 * ((at + i) % 8));
		i++;
	}
	for (; i + 8 <= length; i += 8) {
		u64 word = fl_word(seed, (at + i) / 8);

		memcpy(into + i, &word, 8);
	}
	for (; i < length; i++)
		into[i] = fl_word(seed, (at + i) / 8) >> (8 * ((at + i) % 8));
}

/* ---- registers ---- */

static u64 fl_register(struct fl_device *fl, enum fl_register which)
{
	u64 value;

	mutex_lock(&fl->register_lock);
	value = fl->registers[which];
	mutex_unlock(&fl->register_lock);
	return value;
}

/* Takes an order: a register that holds just this value, once. */
static bool fl_take_order(struct fl_device *fl, enum fl_register which, u64 value)
{
	bool ordered;

	mutex_lock(&fl->register_lock);
	ordered = fl->registers[which] == value;
	if (ordered) {
		fl->registers[which] = 0;
		fl->registers[FL_HELD] = 1;
	}
	mutex_unlock(&fl->register_lock);
	return ordered;
}

/* Waits where the user ordered it, for the death of the caller: firmware that takes its time. */
static void fl_ordered_hold(struct fl_device *fl, enum fl_register which, u64 value)
{
	unsigned int waited;

	if (!fl_take_order(fl, which, value))
		return;
	for (waited = 0; waited < FL_MAX_HOLD_MS && !fatal_signal_pending(current);
	     waited += FL_HOLD_POLL_MS)
		msleep(FL_HOLD_POLL_MS);
	mutex_lock(&fl->register_lock);
	fl->registers[FL_HELD] = 0;
	mutex_unlock(&fl->register_lock);
}

/* ---- sessions ---- */

/* Takes n bytes off the budget of FL_FAIL_DATA; false when it is used up by them. */
static bool fl_data_budget(struct fl_device *fl, u64 n)
{
	bool fine = true;

	mutex_lock(&fl->register_lock);
	if (fl->registers[FL_FAIL_DATA]) {
		if (fl->registers[FL_FAIL_DATA] <= n) {
			fl->registers[FL_FAIL_DATA] = 0;
			fine = false;
		} else {
			fl->registers[FL_FAIL_DATA] -= n;
		}
	}
	mutex_unlock(&fl->register_lock);
	return fine;
}

static int fl_append(struct fl_session *session, enum fl_kind kind, u64 length)
{
	struct fl_device *fl = session->device;
	struct fl_chunk *chunk;
	int ret = 0;

	mutex_lock(&session->lock);
	if (session->dead) {
		ret = -ENODEV;
	} else if (session->count == FL_MAX_CHUNKS) {
		ret = -ENOSPC;
	} else {
		chunk = &session->chunks[session->count++];
		memset(chunk, 0, sizeof(*chunk));
		chunk->header.kind = kind;
		chunk->header.length = length;
		mutex_lock(&fl->register_lock);
		chunk->header.seed = fl->registers[FL_SEED];
		chunk->header.scratch = fl->registers[FL_SCRATCH];
		mutex_unlock(&fl->register_lock);
		if (kind == FL_STATE)
			session->complete = true;
	}
	mutex_unlock(&session->lock);
	if (!ret)
		wake_up_all(&session->changed);
	return ret;
}

/* Copies the next bytes of one chunk into a bounce buffer and says how many. */
static size_t fl_chunk_bytes(struct fl_chunk *chunk, u8 *bounce, size_t most)
{
	u64 total = sizeof(chunk->header) + chunk->header.length;
	size_t n = min_t(u64, most, total - chunk->done);

	if (chunk->done < sizeof(chunk->header)) {
		n = min_t(size_t, n, sizeof(chunk->header) - chunk->done);
		memcpy(bounce, (u8 *)&chunk->header + chunk->done, n);
	} else {
		fl_pattern(chunk->header.seed, chunk->done - sizeof(chunk->header), bounce, n);
	}
	return n;
}

static ssize_t fl_save_read(struct file *filp, char __user *buf, size_t len, loff_t *pos)
{
	struct fl_session *session = filp->private_data;
	ssize_t copied = 0;
	u8 *bounce;

	if (pos)
		return -ESPIPE;
	bounce = kvmalloc(FL_BOUNCE_BYTES, GFP_KERNEL_ACCOUNT);
	if (!bounce)
		return -ENOMEM;
	fl_ordered_hold(session->device, FL_HOLD_DATA, 1);
	mutex_lock(&session->lock);
	if (session->dead) {
		copied = -ENODEV;
		goto out;
	}
	while (len && session->first < session->count) {
		struct fl_chunk *chunk = &session->chunks[session->first];
		size_t n = fl_chunk_bytes(chunk, bounce, min_t(size_t, len, FL_BOUNCE_BYTES));

		if (!fl_data_budget(session->device, n)) {
			copied = -EIO;
			goto out;
		}
		if (copy_to_user(buf + copied, bounce, n)) {
			if (!copied)
				copied = -EFAULT;
			goto out;
		}
		chunk->done += n;
		copied += n;
		len -= n;
		if (chunk->done == sizeof(chunk->header) + chunk->header.length)
			session->first++;
	}
	if (!copied && len && !session->complete)
		copied = -ENOMSG;
	/* Read to the end: the slots can be used again. */
	if (session->first == session->count) {
		session->first = 0;
		session->count = 0;
	}
out:
	mutex_unlock(&session->lock);
	kvfree(bounce);
	return copied;
}

static __poll_t fl_save_poll(struct file *filp, struct poll_table_struct *wait)
{
	struct fl_session *session = filp->private_data;
	__poll_t ready = 0;

	poll_wait(filp, &session->changed, wait);
	mutex_lock(&session->lock);
	if (session->dead)
		ready = EPOLLIN | EPOLLRDNORM | EPOLLERR;
	else if (session->complete || session->first < session->count ||
		 fl_register(session->device, FL_POLL_READY))
		ready = EPOLLIN | EPOLLRDNORM;
	mutex_unlock(&session->lock);
	return ready;
}

static void fl_unlock_state(struct fl_device *fl);

static bool fl_in_precopy(struct fl_device *fl)
{
	return fl->state == VFIO_DEVICE_STATE_PRE_COPY ||
	       fl->state == VFIO_DEVICE_STATE_PRE_COPY_P2P;
}

static long fl_precopy_info(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct fl_session *session = filp->private_data;
	struct fl_device *fl = session->device;
	size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct vfio_precopy_info info = {};
	unsigned int i;
	long ret;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
	ret = vfio_check_precopy_ioctl(&fl->vdev, cmd, arg, &info);
	if (ret)
		return ret;
#else
	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
#endif
	mutex_lock(&fl->state_mutex);
	if (!fl_in_precopy(fl)) {
		ret = -EINVAL;
		goto unlock;
	}
	mutex_lock(&session->lock);
	ret = session->dead ? -ENODEV : 0;
	info.initial_bytes = 0;
	info.dirty_bytes = 0;
	for (i = session->first; i < session->count; i++) {
		struct fl_chunk *chunk = &session->chunks[i];
		u64 left = sizeof(chunk->header) + chunk->header.length - chunk->done;

		if (chunk->header.kind == FL_INITIAL)
			info.initial_bytes += left;
		else
			info.dirty_bytes += left;
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
	if (fl->vdev.precopy_info_v2 && session->reinit) {
		info.flags |= VFIO_PRECOPY_INFO_REINIT;
		session->reinit = false;
	}
#endif
	mutex_unlock(&session->lock);
	if (!ret && copy_to_user((void __user *)arg, &info, minsz))
		ret = -EFAULT;
unlock:
	fl_unlock_state(fl);
	return ret;
}

static void fl_loaded(struct fl_session *session)
{
	struct fl_device *fl = session->device;
	struct fl_header *header = &session->loading.header;

	session->complete = header->kind == FL_STATE;
	if (session->complete) {
		mutex_lock(&fl->register_lock);
		fl->registers[FL_SEED] = header->seed;
		fl->registers[FL_SCRATCH] = header->scratch;
		fl->registers[FL_STATE_BYTES] = header->length;
		fl->registers[FL_LOADED_BYTES] = header->length;
		mutex_unlock(&fl->register_lock);
	}
	session->loading.done = 0;
}

static bool fl_is_valid(const struct fl_header *header)
{
	return header->kind >= FL_INITIAL && header->kind <= FL_STATE && !header->reserved &&
	       header->length <= FL_MAX_BYTES;
}

/* Takes bytes of one chunk; how many, or the error that ends the session. */
static ssize_t fl_load_bytes(struct fl_session *session, const u8 *bytes, size_t n, u8 *expected)
{
	struct fl_chunk *chunk = &session->loading;
	struct fl_header *header = &chunk->header;

	if (session->complete)
		return -EINVAL; /* nothing may follow the state */
	if (chunk->done < sizeof(*header)) {
		n = min_t(size_t, n, sizeof(*header) - chunk->done);
		memcpy((u8 *)header + chunk->done, bytes, n);
		chunk->done += n;
		if (chunk->done == sizeof(*header) && !fl_is_valid(header))
			return -EINVAL;
	} else {
		n = min_t(u64, n, sizeof(*header) + header->length - chunk->done);
		fl_pattern(header->seed, chunk->done - sizeof(*header), expected, n);
		if (memcmp(expected, bytes, n))
			return -EINVAL;
		chunk->done += n;
	}
	if (chunk->done >= sizeof(*header) && chunk->done == sizeof(*header) + header->length)
		fl_loaded(session);
	return n;
}

static ssize_t fl_resume_write(struct file *filp, const char __user *buf, size_t len,
			       loff_t *pos)
{
	struct fl_session *session = filp->private_data;
	ssize_t taken = 0;
	u8 *bounce, *expected;

	if (pos)
		return -ESPIPE;
	bounce = kvmalloc(2 * FL_BOUNCE_BYTES, GFP_KERNEL_ACCOUNT);
	if (!bounce)
		return -ENOMEM;
	expected = bounce + FL_BOUNCE_BYTES;
	fl_ordered_hold(session->device, FL_HOLD_DATA, 1);
	mutex_lock(&session->lock);
	if (session->dead || session->broken) {
		taken = -ENODEV;
		goto out;
	}
	while (len) {
		size_t n = min_t(size_t, len, FL_BOUNCE_BYTES);
		size_t used = 0;

		if (copy_from_user(bounce, buf + taken, n)) {
			if (!taken)
				taken = -EFAULT;
			goto out;
		}
		if (!fl_data_budget(session->device, n)) {
			session->broken = true;
			taken = -EIO;
			goto out;
		}
		while (used < n) {
			ssize_t took;

			took = fl_load_bytes(session, bounce + used, n - used, expected);
			if (took < 0) {
				session->broken = true;
				taken = took;
				goto out;
			}
			used += took;
		}
		taken += n;
		len -= n;
	}
out:
	mutex_unlock(&session->lock);
	kvfree(bounce);
	return taken;
}

static int fl_release_session(struct inode *inode, struct file *filp)
{
	struct fl_session *session = filp->private_data;

	vfio_put_device(&session->device->vdev);
	mutex_destroy(&session->lock);
	kvfree(session);
	return 0;
}

static const struct file_operations fl_save_fops = {
	.owner = THIS_MODULE,
	.read = fl_save_read,
	.poll = fl_save_poll,
	.unlocked_ioctl = fl_precopy_info,
	.compat_ioctl = compat_ptr_ioctl,
	.release = fl_release_session,
};

static const struct file_operations fl_resume_fops = {
	.owner = THIS_MODULE,
	.write = fl_resume_write,
	.release = fl_release_session,
};

static struct fl_session *fl_open_session(struct fl_device *fl, bool saving)
{
	struct fl_session *session = kvzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);

	if (!session)
		return ERR_PTR(-ENOMEM);
	session->filp = anon_inode_getfile("ferry_lab_migration",
					   saving ? &fl_save_fops : &fl_resume_fops, session,
					   saving ? O_RDONLY : O_WRONLY);
	if (IS_ERR(session->filp)) {
		int ret = PTR_ERR(session->filp);

		kvfree(session);
		return ERR_PTR(ret);
	}
	stream_open(session->filp->f_inode, session->filp);
	mutex_init(&session->lock);
	init_waitqueue_head(&session->changed);
	/* The descriptor can outlive the device's own, and its calls take the device's locks. */
	get_device(&fl->vdev.device);
	session->device = fl;
	return session;
}

static void fl_kill_session(struct fl_session **held)
{
	struct fl_session *session = *held;

	if (!session)
		return;
	mutex_lock(&session->lock);
	session->dead = true;
	mutex_unlock(&session->lock);
	wake_up_all(&session->changed);
	fput(session->filp);
	*held = NULL;
}

static void fl_kill_sessions(struct fl_device *fl)
{
	fl_kill_session(&fl->resuming);
	fl_kill_session(&fl->saving);
}

/* ---- states ---- */

/* Every owner of the state leaves through here, so that a reset which could not wait is applied. */
static void fl_unlock_state(struct fl_device *fl)
{
	for (;;) {
		mutex_lock(&fl->reset_mutex);
		if (!fl->deferred_reset)
			break;
		fl->deferred_reset = false;
		mutex_unlock(&fl->reset_mutex);
		fl->state = VFIO_DEVICE_STATE_RUNNING;
		fl_kill_sessions(fl);
	}
	mutex_unlock(&fl->state_mutex);
	mutex_unlock(&fl->reset_mutex);
}

/* The failure that the user ordered for an arc, or 0. */
static int fl_ordered_failure(struct fl_device *fl, enum vfio_device_mig_state to)
{
	int error = 0;

	mutex_lock(&fl->register_lock);
	if (fl->registers[FL_FAIL_ARC] == ((u64)fl->state << 8 | to)) {
		fl->registers[FL_FAIL_ARC] = 0;
		error = -(int)fl->registers[FL_FAIL_ERRNO];
		if (fl->registers[FL_FAIL_TO_ERROR])
			fl->state = VFIO_DEVICE_STATE_ERROR;
	}
	mutex_unlock(&fl->register_lock);
	if (fl->state == VFIO_DEVICE_STATE_ERROR)
		fl_kill_sessions(fl);
	return error;
}

static struct file *fl_begin_saving(struct fl_device *fl, bool precopy)
{
	struct fl_session *session = fl_open_session(fl, true);
	int ret;

	if (IS_ERR(session))
		return ERR_CAST(session);
	if (precopy)
		ret = fl_append(session, FL_INITIAL, fl_register(fl, FL_INITIAL_BYTES));
	else
		ret = fl_append(session, FL_STATE, fl_register(fl, FL_STATE_BYTES));
	if (ret) {
		fput(session->filp);
		return ERR_PTR(ret);
	}
	fl->saving = session;
	get_file(session->filp);
	return session->filp;
}

static int fl_finish_saving(struct fl_device *fl)
{
	if (!fl->saving)
		return -ENODEV;
	return fl_append(fl->saving, FL_STATE, fl_register(fl, FL_STATE_BYTES));
}

static struct file *fl_begin_resuming(struct fl_device *fl)
{
	struct fl_session *session = fl_open_session(fl, false);

	if (IS_ERR(session))
		return ERR_CAST(session);
	fl->resuming = session;
	get_file(session->filp);
	return session->filp;
}

static int fl_end_resuming(struct fl_device *fl)
{
	bool whole;

	/* The process that loaded it has closed the device. */
	if (!fl->resuming)
		return -EINVAL;
	mutex_lock(&fl->resuming->lock);
	whole = fl->resuming->complete && !fl->resuming->broken;
	mutex_unlock(&fl->resuming->lock);
	if (!whole)
		return -EINVAL;
	fl_kill_session(&fl->resuming);
	return 0;
}

static struct file *fl_step(struct fl_device *fl, enum vfio_device_mig_state to)
{
	enum vfio_device_mig_state from = fl->state;
	int error;

	fl_ordered_hold(fl, FL_HOLD_ARC, (u64)from << 8 | to);
	error = fl_ordered_failure(fl, to);
	if (error)
		return ERR_PTR(error);
	if (to == VFIO_DEVICE_STATE_PRE_COPY && from == VFIO_DEVICE_STATE_RUNNING)
		return fl_begin_saving(fl, true);
	if (to == VFIO_DEVICE_STATE_PRE_COPY_P2P && from == VFIO_DEVICE_STATE_RUNNING_P2P)
		return fl_begin_saving(fl, true);
	if (to == VFIO_DEVICE_STATE_STOP_COPY && from == VFIO_DEVICE_STATE_STOP)
		return fl_begin_saving(fl, false);
	if (to == VFIO_DEVICE_STATE_STOP_COPY && from == VFIO_DEVICE_STATE_PRE_COPY_P2P)
		return ERR_PTR(fl_finish_saving(fl));
	if (to == VFIO_DEVICE_STATE_RESUMING)
		return fl_begin_resuming(fl);
	if (from == VFIO_DEVICE_STATE_RESUMING)
		return ERR_PTR(fl_end_resuming(fl));
	if (fl->saving && to != VFIO_DEVICE_STATE_PRE_COPY &&
	    to != VFIO_DEVICE_STATE_PRE_COPY_P2P)
		fl_kill_session(&fl->saving);
	return NULL;
}

static struct file *fl_set_state(struct vfio_device *vdev, enum vfio_device_mig_state target)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);
	struct file *file = NULL;

	mutex_lock(&fl->state_mutex);
	while (fl->state != target) {
		enum vfio_device_mig_state next;
		int ret = vfio_mig_get_next_state(vdev, fl->state, target, &next);

		if (ret) {
			file = ERR_PTR(ret);
			break;
		}
		file = fl_step(fl, next);
		if (IS_ERR(file))
			break;
		fl->state = next;
		if (WARN_ON(file && next != target)) {
			fput(file);
			file = ERR_PTR(-EINVAL);
			break;
		}
	}
	fl_unlock_state(fl);
	return file;
}

static int fl_get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);

	mutex_lock(&fl->state_mutex);
	*state = fl->state;
	fl_unlock_state(fl);
	return 0;
}

static int fl_data_size(struct vfio_device *vdev, unsigned long *stop_copy_length)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);

	*stop_copy_length = sizeof(struct fl_header) + fl_register(fl, FL_STATE_BYTES);
	return 0;
}

static const struct vfio_migration_ops fl_migration_ops = {
	.migration_set_state = fl_set_state,
	.migration_get_state = fl_get_state,
	.migration_get_data_size = fl_data_size,
};

static void fl_defaults(struct fl_device *fl)
{
	mutex_lock(&fl->register_lock);
	memset(fl->registers, 0, sizeof(fl->registers));
	fl->registers[FL_STATE_BYTES] = SZ_4K;
	fl->registers[FL_INITIAL_BYTES] = SZ_256;
	fl->registers[FL_FAIL_ERRNO] = EIO;
	mutex_unlock(&fl->register_lock);
}

static int fl_reset(struct fl_device *fl)
{
	fl_defaults(fl);
	mutex_lock(&fl->reset_mutex);
	fl->deferred_reset = true;
	if (!mutex_trylock(&fl->state_mutex)) {
		mutex_unlock(&fl->reset_mutex);
		return 0;
	}
	mutex_unlock(&fl->reset_mutex);
	fl_unlock_state(fl);
	return 0;
}

/* ---- DMA logging ---- */

static int fl_log_start(struct vfio_device *vdev, struct rb_root_cached *ranges, u32 nnodes,
			u64 *page_size)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);
	struct interval_tree_node *node;
	unsigned long first = ULONG_MAX, last = 0, pages;
	int ret = 0;

	for (node = interval_tree_iter_first(ranges, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		first = min(first, node->start);
		last = max(last, node->last);
	}
	pages = (last >> PAGE_SHIFT) - (first >> PAGE_SHIFT) + 1;
	if (pages > FL_MAX_LOG_PAGES)
		return -ENOSPC;
	mutex_lock(&fl->log_lock);
	if (fl->log) {
		ret = -EBUSY;
	} else {
		fl->log = kvcalloc(BITS_TO_LONGS(pages), sizeof(long), GFP_KERNEL_ACCOUNT);
		fl->log_first = first >> PAGE_SHIFT;
		fl->log_pages = pages;
		if (!fl->log)
			ret = -ENOMEM;
	}
	mutex_unlock(&fl->log_lock);
	*page_size = FL_LOG_PAGE;
	return ret;
}

static int fl_log_stop(struct vfio_device *vdev)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);

	mutex_lock(&fl->log_lock);
	kvfree(fl->log);
	fl->log = NULL;
	mutex_unlock(&fl->log_lock);
	return 0;
}

static int fl_log_read_and_clear(struct vfio_device *vdev, unsigned long iova,
				 unsigned long length, struct iova_bitmap *dirty)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);
	unsigned long page, end = (iova + length - 1) >> PAGE_SHIFT;

	mutex_lock(&fl->log_lock);
	if (!fl->log) {
		mutex_unlock(&fl->log_lock);
		return -EINVAL;
	}
	for (page = max(iova >> PAGE_SHIFT, fl->log_first);
	     page <= end && page - fl->log_first < fl->log_pages; page++)
		if (test_and_clear_bit(page - fl->log_first, fl->log))
			iova_bitmap_set(dirty, page << PAGE_SHIFT, PAGE_SIZE);
	mutex_unlock(&fl->log_lock);
	return 0;
}

static const struct vfio_log_ops fl_log_ops = {
	.log_start = fl_log_start,
	.log_stop = fl_log_stop,
	.log_read_and_clear = fl_log_read_and_clear,
};

static void fl_dma_write(struct fl_device *fl, u64 iova, u64 length)
{
	unsigned long page = iova >> PAGE_SHIFT;

	if (!length || iova + length - 1 < iova)
		return;
	mutex_lock(&fl->log_lock);
	if (fl->log) {
		unsigned long end = min((unsigned long)((iova + length - 1) >> PAGE_SHIFT),
					fl->log_first + fl->log_pages - 1);

		for (page = max(page, fl->log_first); page <= end; page++)
			set_bit(page - fl->log_first, fl->log);
	}
	mutex_unlock(&fl->log_lock);
}

/* ---- regions ---- */

static int fl_append_to_precopy(struct fl_device *fl, enum fl_kind kind, u64 length)
{
	int ret = -EINVAL;

	mutex_lock(&fl->state_mutex);
	if (fl->saving && fl_in_precopy(fl)) {
		ret = fl_append(fl->saving, kind, length);
		if (!ret && kind == FL_INITIAL)
			fl->saving->reinit = true;
	}
	fl_unlock_state(fl);
	return ret;
}

static int fl_set_register(struct fl_device *fl, enum fl_register which, u64 value)
{
	mutex_lock(&fl->register_lock);
	fl->registers[which] = value;
	mutex_unlock(&fl->register_lock);
	return 0;
}

static int fl_write_register(struct fl_device *fl, enum fl_register which, u64 value)
{
	switch (which) {
	case FL_STATE_BYTES:
	case FL_INITIAL_BYTES:
		return value > FL_MAX_BYTES ? -EINVAL : fl_set_register(fl, which, value);
	case FL_MAKE_DIRTY:
		return value > FL_MAX_BYTES ? -EINVAL : fl_append_to_precopy(fl, FL_DIRTY, value);
	case FL_REINIT:
		return value > FL_MAX_BYTES ? -EINVAL : fl_append_to_precopy(fl, FL_INITIAL, value);
	case FL_DMA_WRITE:
		fl_dma_write(fl, fl_register(fl, FL_DMA_IOVA), value);
		return 0;
	case FL_LOADED_BYTES:
	case FL_HELD:
		return -EINVAL;
	case FL_FAIL_ERRNO:
		return !value || value > MAX_ERRNO ? -EINVAL : fl_set_register(fl, which, value);
	default:
		return fl_set_register(fl, which, value);
	}
}

static int fl_access_config(struct fl_device *fl, char __user *buf, size_t count, u64 offset,
			    bool write)
{
	unsigned long left;

	if (offset >= FL_CONFIG_BYTES || count > FL_CONFIG_BYTES - offset)
		return -EINVAL;
	mutex_lock(&fl->register_lock);
	left = write ? copy_from_user(fl->config + offset, buf, count)
		     : copy_to_user(buf, fl->config + offset, count);
	mutex_unlock(&fl->register_lock);
	return left ? -EFAULT : 0;
}

static int fl_access_register(struct fl_device *fl, char __user *buf, size_t count, u64 offset,
			      bool write)
{
	u64 value;

	if (count != sizeof(value) || offset % sizeof(value) ||
	    offset / sizeof(value) >= FL_REGISTERS)
		return -EINVAL;
	if (!write) {
		value = fl_register(fl, offset / sizeof(value));
		return copy_to_user(buf, &value, sizeof(value)) ? -EFAULT : 0;
	}
	if (copy_from_user(&value, buf, sizeof(value)))
		return -EFAULT;
	return fl_write_register(fl, offset / sizeof(value), value);
}

static ssize_t fl_access(struct fl_device *fl, char __user *buf, size_t count, loff_t *pos,
			 bool write)
{
	u64 offset = *pos & (BIT_ULL(FL_REGION_SHIFT) - 1);
	int ret = -EINVAL;

	switch (*pos >> FL_REGION_SHIFT) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		ret = fl_access_config(fl, buf, count, offset, write);
		break;
	case VFIO_PCI_BAR0_REGION_INDEX:
		ret = fl_access_register(fl, buf, count, offset, write);
		break;
	}
	if (ret)
		return ret;
	*pos += count;
	return count;
}

static ssize_t fl_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *pos)
{
	return fl_access(container_of(vdev, struct fl_device, vdev), buf, count, pos, false);
}

static ssize_t fl_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			loff_t *pos)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);

	return fl_access(fl, (char __user *)buf, count, pos, true);
}

static int fl_region_info(struct vfio_region_info *info)
{
	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info->size = info->index == VFIO_PCI_BAR0_REGION_INDEX ? FL_BAR_BYTES
		   : info->index == VFIO_PCI_CONFIG_REGION_INDEX ? FL_CONFIG_BYTES : 0;
	info->offset = (u64)info->index << FL_REGION_SHIFT;
	info->flags = 0;
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return 0;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
static int fl_region_info_caps(struct vfio_device *vdev, struct vfio_region_info *info,
			       struct vfio_info_cap *caps)
{
	return fl_region_info(info);
}
#else
static long fl_ioctl_region_info(void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	ret = fl_region_info(&info);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
#endif

static long fl_ioctl_info(void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long fl_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return fl_ioctl_info((void __user *)arg);
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
	case VFIO_DEVICE_GET_REGION_INFO:
		return fl_ioctl_region_info((void __user *)arg);
#endif
	case VFIO_DEVICE_RESET:
		return fl_reset(container_of(vdev, struct fl_device, vdev));
	default:
		return -ENOTTY;
	}
}

/* ---- life ---- */

/*
 * A vendor id that nobody has, header type 0, and capabilities of which nothing is armed: all of it
 * plain memory.
 */
static const u8 fl_config[FL_CONFIG_BYTES] = {
	[0x00] = 0xfe, 0xfe, 0x01,
	[0x06] = 0x10,                                           /* a list of capabilities */
	[0x34] = 0x40,
	[0x40] = 0x05, 0x60, 0x80, 0x01,                         /* MSI: 64 bits, mask bits */
	[0x60] = 0x11, 0x70, 0x03, 0x00,                         /* MSI-X: four vectors, ... */
	[0x65] = 0x08, [0x69] = 0x0c,                            /* ... in BAR 0 */
	[0x70] = 0x10, 0x00, 0x02,                               /* PCI Express, version 2 */
};

static int fl_init(struct vfio_device *vdev)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);

	mutex_init(&fl->state_mutex);
	mutex_init(&fl->reset_mutex);
	mutex_init(&fl->register_lock);
	mutex_init(&fl->log_lock);
	fl->state = VFIO_DEVICE_STATE_RUNNING;
	fl_defaults(fl);
	memcpy(fl->config, fl_config, sizeof(fl_config));
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
				VFIO_MIGRATION_PRE_COPY;
	vdev->mig_ops = &fl_migration_ops;
	vdev->log_ops = &fl_log_ops;
	return 0;
}

static void fl_release(struct vfio_device *vdev)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);

	kvfree(fl->log);
	mutex_destroy(&fl->log_lock);
	mutex_destroy(&fl->register_lock);
	mutex_destroy(&fl->reset_mutex);
	mutex_destroy(&fl->state_mutex);
}

static void fl_close(struct vfio_device *vdev)
{
	struct fl_device *fl = container_of(vdev, struct fl_device, vdev);

	mutex_lock(&fl->state_mutex);
	fl_kill_sessions(fl);
	fl_unlock_state(fl);
	fl_log_stop(vdev);
}

static const struct vfio_device_ops fl_device_ops = {
	.name = "vfio-ferry-lab",
	.init = fl_init,
	.release = fl_release,
	.read = fl_read,
	.write = fl_write,
	.ioctl = fl_ioctl,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	.get_region_info_caps = fl_region_info_caps,
#endif
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
	.close_device = fl_close,
};

static int fl_probe(struct mdev_device *mdev)
{
	struct fl_device *fl = vfio_alloc_device(fl_device, vdev, &mdev->dev, &fl_device_ops);
	int ret;

	if (IS_ERR(fl))
		return PTR_ERR(fl);
	ret = vfio_register_emulated_iommu_dev(&fl->vdev);
	if (ret) {
		vfio_put_device(&fl->vdev);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, fl);
	return 0;
}

static void fl_remove(struct mdev_device *mdev)
{
	struct fl_device *fl = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&fl->vdev);
	vfio_put_device(&fl->vdev);
}

static struct mdev_driver fl_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "ferry_lab",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = fl_probe,
	.remove = fl_remove,
	.max_instances = FL_DEVICES,
};

static struct mdev_type fl_type = {
	.sysfs_name = "lab",
	.pretty_name = "Steered migratable device",
};

static struct mdev_type *fl_types[] = { &fl_type };
static const struct class fl_class = { .name = FL_NAME };
static struct device *fl_device_node;
static struct mdev_parent fl_parent;

static int __init fl_module_init(void)
{
	int ret = mdev_register_driver(&fl_driver);

	if (ret)
		return ret;
	ret = class_register(&fl_class);
	if (ret)
		goto no_class;
	fl_device_node = device_create(&fl_class, NULL, 0, NULL, FL_NAME);
	if (IS_ERR(fl_device_node)) {
		ret = PTR_ERR(fl_device_node);
		goto no_device;
	}
	ret = mdev_register_parent(&fl_parent, fl_device_node, &fl_driver, fl_types,
				   ARRAY_SIZE(fl_types));
	if (!ret)
		return 0;
	device_unregister(fl_device_node);
no_device:
	class_unregister(&fl_class);
no_class:
	mdev_unregister_driver(&fl_driver);
	return ret;
}

static void __exit fl_module_exit(void)
{
	mdev_unregister_parent(&fl_parent);
	device_unregister(fl_device_node);
	class_unregister(&fl_class);
	mdev_unregister_driver(&fl_driver);
}

module_init(fl_module_init)
module_exit(fl_module_exit)

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS("IOMMUFD");
#else
MODULE_IMPORT_NS(IOMMUFD);
#endif
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated device with a migration that its user steers, for tests");
