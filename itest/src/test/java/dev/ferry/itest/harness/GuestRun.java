// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Guest;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.util.Optional;
import java.util.function.Function;
import org.osgi.framework.BundleContext;

/** A guest under traffic on one emulated VF, and its migration to another. */
public final class GuestRun {
    private static final String NOTHING_LOST = "lost=0 duplicated=0 reordered=0 ";

    private final BundleContext context;
    private final Function<String, Object> exerciser;
    private final String source;
    private final String destination;
    private final Guest[] guests;

    private GuestRun(BundleContext context, String source, String destination) throws Exception {
        this.context = context;
        this.exerciser = exerciser(context);
        this.source = source;
        this.destination = destination;
        this.guests = (Guest[]) exerciser.apply("boot " + source + " " + destination);
    }

    /** Boots a guest on a VF that no guest uses; both VFs are made RUNNING first. */
    public static GuestRun boot(BundleContext context, String source, String destination) throws Exception {
        MigrationService migrations = Await.service(context, MigrationService.class);
        for (String device : new String[] {source, destination}) {
            Await.until(context, device, () -> migrations.device(device).isPresent(), migrations::devices);
            setRunning(migrations, device);
        }
        return new GuestRun(context, source, destination);
    }

    private static void setRunning(MigrationService migrations, String device) throws MigrationException {
        assertThat(migrations.setState(device, DeviceState.RUNNING).to()).isEqualTo(DeviceState.RUNNING);
    }

    @SuppressWarnings("unchecked")
    private static Function<String, Object> exerciser(BundleContext context) throws Exception {
        return Await.service(context, Function.class, "(ferry.itest=exerciser)");
    }

    /** The guest at the source, and the empty one at the destination. */
    public Guest[] guests() {
        return guests.clone();
    }

    /** No more frames; all are through. */
    public void quiet() {
        exerciser.apply("quiet");
    }

    /** Ends the traffic, which never left the source, and all frames came through. */
    public void requireWellAtSource() {
        assertThat(exerciser.apply("finish")).isEqualTo(NOTHING_LOST + "source=some destination=none");
    }

    /** Starts the migration of the guest. */
    public Migration migrate(MigrationListener listener) throws Exception {
        return Await.service(context, MigrationService.class).start(request(), listener);
    }

    /** A request that moves the guest. */
    public MigrationRequest request() {
        return Unhurried.move(source, destination).withGuests(guests[0], guests[1]);
    }

    /** Migrates, and the guest goes on at the destination without losing a frame. */
    public MigrationReport migrateWell() throws Exception {
        MigrationReport report = Await.result(migrate(MigrationListener.NONE).result());
        assertThat(report.failure()).isEmpty();
        requireWell(report);
        return report;
    }

    /**
     * Ends the traffic. The migration completed and the guest runs at the destination, or it failed and the guest runs
     * at the source; in both cases all frames came through.
     */
    public void requireWell(MigrationReport report) throws Exception {
        boolean completed = report.result() == MigrationReport.Result.COMPLETED;
        requireWell(completed, report.toString());
        assertThat(state(completed ? destination : source)).as("%s", report).contains(DeviceState.RUNNING);
    }

    /** Ends the traffic. All frames came through, by both sides or by the source alone, and no object is left. */
    public void requireWell(boolean moved, String story) {
        String sides = moved ? "source=some destination=some" : "source=some destination=none";
        assertThat(exerciser.apply("finish")).as(story).isEqualTo(NOTHING_LOST + sides);
        assertThat(exerciser.apply("objects")).as("resource objects, " + story).isEqualTo(0);
    }

    private Optional<DeviceState> state(String device) throws Exception {
        MigrationService migrations = Await.service(context, MigrationService.class);
        return migrations.device(device).flatMap(description -> description.state());
    }
}
