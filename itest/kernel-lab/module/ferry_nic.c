// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI function that can be migrated: a VFIO driver for the Intel 82574L as QEMU emulates it,
 * behind an IOMMU, with everything that vfio-pci does for a function. What moves is what a guest's
 * driver has set up: the receive and transmit descriptor rings, the multicast table, and whether
 * receiving and transmitting are enabled, which is switched off while the function is stopped.
 * STOP_COPY is all it knows, so that there is a device without P2P and PRE_COPY, too.
 *
 * The image, little-endian: count u32, reserved u32, then so many registers of u32 in the order of
 * the table below.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#define FN_CTRL 0x0000
#define FN_CTRL_RST BIT(26)
#define FN_RCTL 0x0100
#define FN_TCTL 0x0400
#define FN_ENABLE BIT(1) /* the same bit in both */
#define FN_MTA 0x5200
#define FN_MTA_WORDS 128

static const u16 fn_rings[] = {
	0x2800, 0x2804, 0x2808, 0x2810, 0x2818, /* receive: base, base high, length, head, tail */
	0x3800, 0x3804, 0x3808, 0x3810, 0x3818, /* transmit */
};

#define FN_RINGS ARRAY_SIZE(fn_rings)
/* RCTL and TCTL come last, so that nothing runs before its ring is there. */
#define FN_REGISTERS (FN_RINGS + FN_MTA_WORDS + 2)

struct fn_image {
	__le32 count;
	__le32 reserved;
	__le32 registers[FN_REGISTERS];
};

struct fn_session {
	struct file *filp;
	struct mutex lock;
	bool dead;
	size_t done;
	struct fn_image image;
};

struct fn_device {
	struct vfio_pci_core_device core;
	struct mutex state_mutex; /* all but deferred_reset */
	spinlock_t reset_lock;    /* deferred_reset */
	bool deferred_reset;
	enum vfio_device_mig_state state;
	u32 enabled[2]; /* RCTL and TCTL of a function that is stopped */
	struct fn_session *session;
};

static struct fn_device *fn_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct fn_device, core.vdev);
}

/* ---- registers ---- */

static u16 fn_offset(unsigned int i)
{
	return i < FN_RINGS ? fn_rings[i] : FN_MTA + 4 * (i - FN_RINGS);
}

/* Fails with EIO while its user has switched the function's memory off. */
static int fn_read(struct fn_device *fn, u16 offset, u32 *value)
{
	return vfio_pci_core_ioread32(&fn->core, true, value, fn->core.barmap[0] + offset);
}

static int fn_write(struct fn_device *fn, u16 offset, u32 value)
{
	return vfio_pci_core_iowrite32(&fn->core, true, value, fn->core.barmap[0] + offset);
}

/*
 * The adapter's own reset, beside the kernel's by power management, in which QEMU's adapter keeps
 * its registers.
 */
static void fn_clear(struct fn_device *fn)
{
	if (fn->core.barmap[0])
		iowrite32(FN_CTRL_RST, fn->core.barmap[0] + FN_CTRL);
}

static int fn_stop(struct fn_device *fn)
{
	int ret = fn_read(fn, FN_RCTL, &fn->enabled[0]);

	ret = ret ?: fn_read(fn, FN_TCTL, &fn->enabled[1]);
	ret = ret ?: fn_write(fn, FN_RCTL, fn->enabled[0] & ~FN_ENABLE);
	return ret ?: fn_write(fn, FN_TCTL, fn->enabled[1] & ~FN_ENABLE);
}

static int fn_run(struct fn_device *fn)
{
	int ret = fn_write(fn, FN_RCTL, fn->enabled[0]);

	return ret ?: fn_write(fn, FN_TCTL, fn->enabled[1]);
}

static int fn_capture(struct fn_device *fn, struct fn_image *image)
{
	unsigned int i;
	u32 value;

	image->count = cpu_to_le32(FN_REGISTERS);
	for (i = 0; i < FN_REGISTERS - 2; i++) {
		int ret = fn_read(fn, fn_offset(i), &value);

		if (ret)
			return ret;
		image->registers[i] = cpu_to_le32(value);
	}
	image->registers[i] = cpu_to_le32(fn->enabled[0]);
	image->registers[i + 1] = cpu_to_le32(fn->enabled[1]);
	return 0;
}

static int fn_load(struct fn_device *fn, const struct fn_image *image)
{
	unsigned int i;

	for (i = 0; i < FN_REGISTERS - 2; i++) {
		int ret = fn_write(fn, fn_offset(i), le32_to_cpu(image->registers[i]));

		if (ret)
			return ret;
	}
	fn->enabled[0] = le32_to_cpu(image->registers[i]);
	fn->enabled[1] = le32_to_cpu(image->registers[i + 1]);
	return 0;
}

/* ---- data transfer sessions ---- */

static ssize_t fn_session_read(struct file *filp, char __user *buf, size_t length, loff_t *at)
{
	struct fn_session *session = filp->private_data;
	ssize_t done;

	if (at)
		return -ESPIPE;
	mutex_lock(&session->lock);
	done = session->dead ? -ENODEV : min(length, sizeof(session->image) - session->done);
	if (done > 0 && copy_to_user(buf, (u8 *)&session->image + session->done, done))
		done = -EFAULT;
	if (done > 0)
		session->done += done;
	mutex_unlock(&session->lock);
	return done;
}

static ssize_t fn_session_write(struct file *filp, const char __user *buf, size_t length,
				loff_t *at)
{
	struct fn_session *session = filp->private_data;
	ssize_t done;

	if (at)
		return -ESPIPE;
	mutex_lock(&session->lock);
	done = session->dead ? -ENODEV : min(length, sizeof(session->image) - session->done);
	if (!done && length)
		done = -ENOSPC;
	if (done > 0 && copy_from_user((u8 *)&session->image + session->done, buf, done))
		done = -EFAULT;
	if (done > 0)
		session->done += done;
	mutex_unlock(&session->lock);
	return done;
}

static int fn_session_release(struct inode *inode, struct file *filp)
{
	struct fn_session *session = filp->private_data;

	mutex_destroy(&session->lock);
	kfree(session);
	return 0;
}

static const struct file_operations fn_saving_fops = {
	.owner = THIS_MODULE,
	.read = fn_session_read,
	.release = fn_session_release,
};

static const struct file_operations fn_resuming_fops = {
	.owner = THIS_MODULE,
	.write = fn_session_write,
	.release = fn_session_release,
};

/* A session that the device, too, has a reference to; its user's is the one that is given back. */
static struct file *fn_open_session(struct fn_device *fn, bool saving)
{
	struct fn_session *session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	int ret = session ? 0 : -ENOMEM;

	if (session && saving)
		ret = fn_capture(fn, &session->image);
	if (ret) {
		kfree(session);
		return ERR_PTR(ret);
	}
	mutex_init(&session->lock);
	session->filp = anon_inode_getfile("ferry_nic",
					   saving ? &fn_saving_fops : &fn_resuming_fops,
					   session, saving ? O_RDONLY : O_WRONLY);
	if (IS_ERR(session->filp)) {
		struct file *failure = session->filp;

		kfree(session);
		return failure;
	}
	stream_open(session->filp->f_inode, session->filp);
	fn->session = session;
	get_file(session->filp);
	return session->filp;
}

static void fn_close_session(struct fn_device *fn)
{
	if (!fn->session)
		return;
	mutex_lock(&fn->session->lock);
	fn->session->dead = true;
	mutex_unlock(&fn->session->lock);
	fput(fn->session->filp);
	fn->session = NULL;
}

static int fn_end_resuming(struct fn_device *fn)
{
	struct fn_session *session = fn->session;
	int ret = -EINVAL;

	if (!session)
		return ret;
	mutex_lock(&session->lock);
	if (session->done == sizeof(session->image) && le32_to_cpu(session->image.count) == FN_REGISTERS)
		ret = fn_load(fn, &session->image);
	mutex_unlock(&session->lock);
	if (!ret)
		fn_close_session(fn);
	return ret;
}

/* ---- states ---- */

static struct file *fn_step(struct fn_device *fn, enum vfio_device_mig_state to)
{
	enum vfio_device_mig_state from = fn->state;

	if (to == VFIO_DEVICE_STATE_STOP_COPY || to == VFIO_DEVICE_STATE_RESUMING)
		return fn_open_session(fn, to == VFIO_DEVICE_STATE_STOP_COPY);
	if (from == VFIO_DEVICE_STATE_RESUMING)
		return ERR_PTR(fn_end_resuming(fn));
	if (from == VFIO_DEVICE_STATE_STOP_COPY)
		fn_close_session(fn);
	else
		return ERR_PTR(to == VFIO_DEVICE_STATE_RUNNING ? fn_run(fn) : fn_stop(fn));
	return NULL;
}

/*
 * Gives the lock back, and takes along a reset that came meanwhile: it cannot wait for the lock.
 * The registers are cleared here, since a step that was under way may have gone on writing them.
 */
static void fn_unlock(struct fn_device *fn)
{
	spin_lock(&fn->reset_lock);
	while (fn->deferred_reset) {
		fn->deferred_reset = false;
		spin_unlock(&fn->reset_lock);
		fn_clear(fn);
		fn->state = VFIO_DEVICE_STATE_RUNNING;
		fn_close_session(fn);
		spin_lock(&fn->reset_lock);
	}
	mutex_unlock(&fn->state_mutex);
	spin_unlock(&fn->reset_lock);
}

static struct file *fn_set_state(struct vfio_device *vdev, enum vfio_device_mig_state target)
{
	struct fn_device *fn = fn_of(vdev);
	struct file *file = NULL;

	mutex_lock(&fn->state_mutex);
	while (fn->state != target) {
		enum vfio_device_mig_state next;
		int ret = vfio_mig_get_next_state(vdev, fn->state, target, &next);

		file = ret ? ERR_PTR(ret) : fn_step(fn, next);
		if (IS_ERR(file))
			break;
		fn->state = next;
	}
	fn_unlock(fn);
	return file;
}

static int fn_get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct fn_device *fn = fn_of(vdev);

	mutex_lock(&fn->state_mutex);
	*state = fn->state;
	fn_unlock(fn);
	return 0;
}

static int fn_data_size(struct vfio_device *vdev, unsigned long *stop_copy_length)
{
	*stop_copy_length = sizeof(struct fn_image);
	return 0;
}

static const struct vfio_migration_ops fn_migration_ops = {
	.migration_set_state = fn_set_state,
	.migration_get_state = fn_get_state,
	.migration_get_data_size = fn_data_size,
};

/* The function was reset: its registers are new. */
static void fn_reset_done(struct pci_dev *pdev)
{
	struct fn_device *fn = fn_of(&((struct vfio_pci_core_device *)dev_get_drvdata(&pdev->dev))->vdev);

	spin_lock(&fn->reset_lock);
	fn->deferred_reset = true;
	if (!mutex_trylock(&fn->state_mutex)) {
		spin_unlock(&fn->reset_lock);
		return;
	}
	spin_unlock(&fn->reset_lock);
	fn_unlock(fn);
}

/* ---- the device ---- */

static int fn_open(struct vfio_device *vdev)
{
	struct fn_device *fn = fn_of(vdev);
	int ret = vfio_pci_core_enable(&fn->core);

	if (ret)
		return ret;
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
	ret = vfio_pci_core_setup_barmap(&fn->core, 0);
#else
	ret = PTR_ERR_OR_ZERO((void __force *)vfio_pci_core_get_iomap(&fn->core, 0));
#endif
	if (ret) {
		vfio_pci_core_disable(&fn->core);
		return ret;
	}
	fn_clear(fn);
	fn->state = VFIO_DEVICE_STATE_RUNNING;
	vfio_pci_core_finish_enable(&fn->core);
	return 0;
}

static void fn_close(struct vfio_device *vdev)
{
	struct fn_device *fn = fn_of(vdev);

	mutex_lock(&fn->state_mutex);
	fn_close_session(fn);
	fn_unlock(fn);
	vfio_pci_core_close_device(vdev);
}

static int fn_init(struct vfio_device *vdev)
{
	struct fn_device *fn = fn_of(vdev);

	mutex_init(&fn->state_mutex);
	spin_lock_init(&fn->reset_lock);
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY;
	vdev->mig_ops = &fn_migration_ops;
	return vfio_pci_core_init_dev(vdev);
}

static void fn_release(struct vfio_device *vdev)
{
	mutex_destroy(&fn_of(vdev)->state_mutex);
	vfio_pci_core_release_dev(vdev);
}

static const struct vfio_device_ops fn_ops = {
	.name = "ferry_nic",
	.init = fn_init,
	.release = fn_release,
	.open_device = fn_open,
	.close_device = fn_close,
	.ioctl = vfio_pci_core_ioctl,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#endif
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
};

static int fn_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct fn_device *fn = vfio_alloc_device(fn_device, core.vdev, &pdev->dev, &fn_ops);
	int ret;

	if (IS_ERR(fn))
		return PTR_ERR(fn);
	dev_set_drvdata(&pdev->dev, &fn->core);
	ret = vfio_pci_core_register_device(&fn->core);
	if (ret)
		vfio_put_device(&fn->core.vdev);
	return ret;
}

static void fn_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

static const struct pci_device_id fn_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_INTEL, 0x10d3) },
	{}
};
MODULE_DEVICE_TABLE(pci, fn_ids);

static const struct pci_error_handlers fn_errors = {
	.reset_done = fn_reset_done,
	.error_detected = vfio_pci_core_aer_err_detected,
};

static struct pci_driver fn_driver = {
	/* Ferry knows VFIO drivers by their names where a kernel has no character devices. */
	.name = "ferry_nic_vfio_pci",
	.id_table = fn_ids,
	.probe = fn_probe,
	.remove = fn_remove,
	.err_handler = &fn_errors,
	.driver_managed_dma = true,
};
module_pci_driver(fn_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO driver of an emulated network function that can be migrated, for tests");
