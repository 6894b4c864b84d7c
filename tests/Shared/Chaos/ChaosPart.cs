namespace Millrace.Tests.Chaos;

/// <summary>What was found of one part: how much of it there was, and what is not as it must be.</summary>
/// <param name="Metric">The figure's name behind <c>chaos.</c></param>
/// <param name="Unit">What is counted when something is wrong.</param>
internal sealed record ChaosPart(string Metric, string Unit)
{
    public List<string> Complaints { get; } = [];

    /// <summary>What was looked at, for people.</summary>
    public string Seen { get; set; } = "";

    public void Complain(string what) => Complaints.Add(what);
}
