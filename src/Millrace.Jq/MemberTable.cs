namespace Millrace.Jq;

/// <summary>
/// Finds members of large objects by name. Shared by the objects that share a storage: one thread may add a member while
/// others look names up, so a slot is published only after the member stands in the storage, and every object looks no
/// further than its own count. Writers hold the lock on the table.
/// </summary>
internal sealed class MemberTable
{
    /// <summary>Open addressing; a slot holds a place plus one, zero is empty. At most half full.</summary>
    private int[] _slots;

    public MemberTable(KeyValuePair<string, Json>[] members, int count)
    {
        _slots = Fill(members, count);
        Used = count;
    }

    private MemberTable(int[] slots, int used)
    {
        _slots = slots;
        Used = used;
        IsDetached = true;
    }

    public int Used { get; private set; }

    /// <summary>Only good for reading: its slots may belong to another table.</summary>
    public bool IsDetached { get; }

    public MemberTable Detached() => new(_slots, Used);

    public int Find(KeyValuePair<string, Json>[] members, int count, string key)
    {
        var slots = Volatile.Read(ref _slots);
        var mask = slots.Length - 1;
        for (var slot = string.GetHashCode(key) & mask; ; slot = (slot + 1) & mask)
        {
            var place = Volatile.Read(ref slots[slot]) - 1;
            if (place < 0) return -1;
            if (place < count && string.Equals(members[place].Key, key)) return place;
        }
    }

    public void Add(KeyValuePair<string, Json>[] members, int place)
    {
        if ((place + 1) * 2 > _slots.Length) Volatile.Write(ref _slots, Fill(members, place + 1));
        else Put(_slots, members[place].Key, place);
        Used = place + 1;
    }

    private static int[] Fill(KeyValuePair<string, Json>[] members, int count)
    {
        var slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(32, count * 4))];
        for (var i = 0; i < count; i++) Put(slots, members[i].Key, i);
        return slots;
    }

    private static void Put(int[] slots, string key, int place)
    {
        var mask = slots.Length - 1;
        var slot = string.GetHashCode(key) & mask;
        while (slots[slot] != 0) slot = (slot + 1) & mask;
        Volatile.Write(ref slots[slot], place + 1);
    }
}
