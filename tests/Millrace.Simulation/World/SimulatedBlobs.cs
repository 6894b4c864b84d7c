using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Testing.Disk;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.World;

/// <summary>A blob store that outlives everything, and sometimes refuses.</summary>
internal sealed class SimulatedBlobs(Dice dice) : MemoryBlobs
{
    /// <summary>How likely a put is refused.</summary>
    public double Refused { get; set; }

    public override Task<BlobRef> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        if (dice.Chance(Refused)) throw new StorageUnavailableException(new StorageFault(StorageFault.Io, "the blob store refused", Recoverable: true));
        return base.PutAsync(content, cancel);
    }
}
