using System.Buffers.Binary;
using System.Numerics;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Journal;

/// <summary>
/// What gives away a record that a disk, a memory or a hand has altered: a CRC-32C (RFC 3720, B.4) over its text and its place, spelt in 16
/// characters of white space behind the text. Readers of JSON pass over them: builds that know no seals read sealed records, and this one reads
/// records that have none.
/// </summary>
internal static class RecordSeal
{
    public const int Length = 16;

    /// <summary>Two bits each.</summary>
    private static ReadOnlySpan<byte> Letters => " \t\n\r"u8;

    /// <returns>The text with its seal.</returns>
    public static byte[] Seal(Guid run, long seq, long at, RunPhase? state, ReadOnlySpan<byte> entries)
    {
        var sealedText = new byte[entries.Length + Length];
        entries.CopyTo(sealedText);
        Spell(Sum(run, seq, at, state, entries), sealedText.AsSpan(entries.Length));
        return sealedText;
    }

    /// <exception cref="DamagedRecordException">The record is not what was written.</exception>
    public static void Check(JournalRow row)
    {
        if (!IsSound(row)) throw new DamagedRecordException(row.Run, row.Seq);
    }

    /// <summary>A record without a seal ends as its text does.</summary>
    public static bool IsSound(JournalRow row)
    {
        ReadOnlySpan<byte> text = row.Entries;
        if (text is [.., (byte)']']) return true;
        if (text.Length < Length) return false;
        Span<byte> seal = stackalloc byte[Length];
        Spell(Sum(row.Run, row.Seq, row.At, row.State, text[..^Length]), seal);
        return seal.SequenceEqual(text[^Length..]);
    }

    private static void Spell(uint sum, Span<byte> into)
    {
        for (var i = 0; i < Length; i++) into[i] = Letters[(int)(sum >> (2 * i)) & 3];
    }

    private static uint Sum(Guid run, long seq, long at, RunPhase? state, ReadOnlySpan<byte> entries)
    {
        Span<byte> place = stackalloc byte[40];
        run.TryWriteBytes(place, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(place[16..], seq);
        BinaryPrimitives.WriteInt64LittleEndian(place[24..], at);
        BinaryPrimitives.WriteInt64LittleEndian(place[32..], (long?)state ?? -1);
        return ~Add(Add(uint.MaxValue, place), entries);
    }

    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..]) sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) sum = BitOperations.Crc32C(sum, b);
        return sum;
    }
}

/// <summary>A record of a journal is not what was written; nothing of it may be believed.</summary>
public sealed class DamagedRecordException(Guid run, long seq)
    : Exception($"Record {seq} of the run {run} is damaged: it is not what was written. 'millrace admin verify' tells what else is.");
