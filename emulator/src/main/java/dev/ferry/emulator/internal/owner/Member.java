// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.internal.member.MemberDevice;

/**
 * One member device, from its three sides.
 *
 * @param device as the owner device handles it
 * @param function as a guest's driver sees it
 * @param port as the network sees it
 */
public record Member(MemberDevice device, PciFunction function, NetworkPort port) {

    /** All sides of one object. */
    public static <T extends MemberDevice & PciFunction & NetworkPort> Member of(T member) {
        return new Member(member, member, member);
    }
}
