using System.Diagnostics;
using System.Globalization;

namespace Millrace.Tests.Chaos;

/// <summary>
/// A network of its own for one process (Linux, as root, with <c>ip</c>): a pair of virtual wires joins it with the machine's, and whoever is in it reaches
/// <see cref="Machine"/> and nothing else. Cut, its packets go nowhere and the kernel's own timers and retransmissions decide what becomes of connections.
/// </summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    /// <summary>An address of this machine that all of them reach.</summary>
    public const string Machine = "10.213.0.1";

    private readonly string _wire;

    private NetworkNamespace(int number)
    {
        var process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Name = $"millrace-{process}-{number}";
        // The name of an interface has 15 characters at most.
        _wire = $"mr{process}-{number}";
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Remove();
    }

    public string Name { get; }

    /// <returns>None where the machine does not let us.</returns>
    public static IReadOnlyList<NetworkNamespace> Create(int count)
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root" || !Ip($"addr add {Machine}/32 dev lo")) return [];
        var made = new List<NetworkNamespace>();
        for (var number = 1; number <= count; number++)
        {
            made.Add(new NetworkNamespace(number));
            if (made[^1].TryMake(number)) continue;
            made.ForEach(n => n.Remove());
            return [];
        }
        return made;
    }

    public void Cut() => Ip($"link set {_wire} down");

    public void Heal() => Ip($"link set {_wire} up");

    public ValueTask DisposeAsync()
    {
        Remove();
        return ValueTask.CompletedTask;
    }

    private bool TryMake(int number) =>
        Ip($"netns add {Name}")
        && Ip($"link add {_wire} type veth peer name inside netns {Name}")
        && Ip($"addr add 10.213.{number}.1/30 dev {_wire}")
        && Ip($"link set {_wire} up")
        && Ip($"-n {Name} addr add 10.213.{number}.2/30 dev inside")
        && Ip($"-n {Name} link set lo up")
        && Ip($"-n {Name} link set inside up")
        && Ip($"-n {Name} route add default via 10.213.{number}.1");

    private void Remove()
    {
        // The wires go with it; those who are in it keep it until they have ended.
        Ip($"link del {_wire}");
        Ip($"netns del {Name}");
        Ip($"addr del {Machine}/32 dev lo");
    }

    private static bool Ip(string arguments)
    {
        try
        {
            using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            ip.WaitForExit();
            return ip.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no such program.
            return false;
        }
    }
}
