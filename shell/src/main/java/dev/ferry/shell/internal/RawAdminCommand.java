// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.UsageException;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.migration.FailureCode;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One raw admin command: bytes in, bytes out. */
@Command(
        name = "admin",
        description = {
            RawAdminCommand.SUMMARY,
            "Exit status 0 means that the device answered; the answer begins with its status."
        })
final class RawAdminCommand extends FerryCommand {

    static final String SUMMARY = "Executes one raw admin command, given as hex bytes.";

    /** The most device-writable space that is given to a device: far beyond any answer, and still a bound. */
    private static final int MOST_WRITABLE_BYTES = 16 << 20;

    /**
     * struct virtio_admin_cmd: le16 status, le16 status_qualifier begin the device-writable part (virtio 1.4, 2.13.1).
     */
    private static final int STATUS_BYTES = 2;

    /** The device-readable part begins with le16 opcode; what is left out there counts as zero. */
    private static final int OPCODE_BYTES = 2;

    private static final int QUALIFIER_END = 4;

    private static final String NOT_TOLD = "not given";

    private static final long TIMEOUT_SECONDS = 10;

    private final Service<List<OwnerDevice>> owners;

    @Parameters(index = "0", paramLabel = "OWNER", description = "Id of the owner device.")
    private String owner;

    @Parameters(
            index = "1..*",
            paramLabel = "HEX",
            arity = "1..*",
            description = "Device-readable part; blanks and colons between bytes are allowed.")
    private List<String> hex;

    @Option(
            names = "--writable",
            paramLabel = "N",
            defaultValue = "4096",
            description = "Bytes of device-writable space, up to 16777216; default: ${DEFAULT-VALUE}.")
    private int writableBytes;

    RawAdminCommand(Service<List<OwnerDevice>> owners) {
        this.owners = owners;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Names.requireDevice(owner);
        byte[] readable = HexBytes.parse(String.join(" ", hex));
        if (writableBytes < 0 || writableBytes > MOST_WRITABLE_BYTES) {
            throw new UsageException("--writable takes 0 to %d bytes, not %d".formatted(
                    MOST_WRITABLE_BYTES, writableBytes));
        }
        OwnerDevice device = owners.get().stream()
                .filter(candidate -> candidate.id().equals(owner))
                .findFirst()
                .orElseThrow(() -> new CommandFailedException(
                        FailureCode.DEVICE_NOT_FOUND,
                        "there is no owner device " + owner + "; `ferry devices` lists those there are"));
        ByteBuffer writable = ByteBuffer.allocate(writableBytes);
        int used = Math.min(execute(device, ByteBuffer.wrap(readable), writable), writableBytes);
        return answered(commandOf(readable), writable, used, console);
    }

    private static int execute(OwnerDevice device, ByteBuffer readable, ByteBuffer writable)
            throws DeviceException, InterruptedException, CommandFailedException {
        CompletableFuture<Integer> used = device.queue()
                .submit(new ByteBuffer[] {readable}, new ByteBuffer[] {writable})
                .toCompletableFuture();
        try {
            return used.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new DeviceException(
                    Errno.ETIMEDOUT,
                    "the owner device " + device.id() + " did not answer within " + TIMEOUT_SECONDS + " s",
                    e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DeviceException failed) {
                throw failed;
            }
            throw new CommandFailedException(
                    FailureCode.DEVICE_FAILED, "the owner device " + device.id() + " failed: " + e.getCause(), e);
        }
    }

    /** Of several commands in one script each status is told with the command that it belongs to. */
    private static String commandOf(byte[] readable) {
        int number = 0;
        for (int i = 0; i < Math.min(readable.length, OPCODE_BYTES); i++) {
            number |= Byte.toUnsignedInt(readable[i]) << (i * Byte.SIZE);
        }
        return "opcode 0x%04x (%s)".formatted(
                number, AdminOpcode.ofNumber(number).map(AdminOpcode::name).orElse("not of virtio 1.4"));
    }

    private static CommandResult answered(String command, ByteBuffer writable, int used, Console console) {
        AdminResult result = AdminResult.decode(writable, used);
        AdminStatus status = AdminStatus.ofNumber(result.status());
        AdminStatusQualifier qualifier = AdminStatusQualifier.ofNumber(result.statusQualifier());
        boolean statusTold = used >= STATUS_BYTES;
        boolean qualifierTold = used >= QUALIFIER_END;
        if (!statusTold || !result.isOk()) {
            console.progress("status %s, qualifier %s for %s".formatted(
                    statusTold ? result.status() + " (" + status + ")" : NOT_TOLD,
                    qualifierTold ? result.statusQualifier() + " (" + qualifier + ")" : NOT_TOLD,
                    command));
        }
        String bytes = HexFormat.of().formatHex(writable.array(), 0, used);
        JsonObject document = new JsonObject();
        document.addProperty("usedLength", used);
        document.addProperty("status", statusTold ? result.status() : null);
        document.addProperty("statusName", statusTold ? status.name() : null);
        document.addProperty("qualifier", qualifierTold ? result.statusQualifier() : null);
        document.addProperty("qualifierName", qualifierTold ? qualifier.name() : null);
        document.addProperty("bytes", bytes);
        return CommandResult.done(document, bytes);
    }
}
