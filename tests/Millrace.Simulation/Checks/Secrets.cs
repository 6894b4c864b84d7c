using System.Text;
using Millrace.Simulation.World;

namespace Millrace.Simulation.Checks;

/// <summary>What a function was given as a secret stands in no file of the disk, in no blob and in no line of the log, though functions showed it and gave it back.</summary>
internal sealed class Secrets(Cluster cluster)
{
    private static readonly byte[] Secret = Encoding.UTF8.GetBytes(Outside.Secret);

    public void Judge()
    {
        if (cluster.Disk.Contents.Any(Holds)) cluster.Scheduler.Fail("a file holds the secret");
        if (cluster.Blobs.Contents.Any(Holds)) cluster.Scheduler.Fail("a blob holds the secret");
        if (cluster.Scheduler.LastEvents.FirstOrDefault(e => e.Contains(Outside.Secret, StringComparison.Ordinal)) is { } line) cluster.Scheduler.Fail($"the log holds the secret: {line}");
    }

    private static bool Holds(byte[] content) => content.AsSpan().IndexOf(Secret) >= 0;
}
