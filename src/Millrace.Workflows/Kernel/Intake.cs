using System.Globalization;
using Millrace.Jq;

namespace Millrace.Workflows.Kernel;

/// <summary>The items that an effect has given while it is under way, one at a time: the fold of its sub-steps.</summary>
public sealed class Intake
{
    /// <summary>What the names of sub-steps begin with that give an item.</summary>
    public const string Prefix = "message-";

    /// <summary>The items that came, in their order.</summary>
    public JsonArray Items { get; private set; } = JsonArray.Empty;

    /// <summary>Items that are done with.</summary>
    public int Handled => Output.Count;

    /// <summary>No more items are wanted; the effect is about to end.</summary>
    public bool IsClosed { get; internal set; }

    /// <summary>The output so far.</summary>
    internal JsonArray Output { get; private set; } = JsonArray.Empty;

    /// <summary>Place of the item that something is being done for.</summary>
    internal int Index => Items.Count - 1;

    internal Json Item => Items[Index];

    internal bool IsBusy => Items.Count > Output.Count;

    /// <summary>The sub-step by which an effect gives an item.</summary>
    public static string NameOf(int item) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{item}");

    /// <summary>Whether that sub-step is the next item.</summary>
    internal bool Awaits(string subStep) => !IsBusy && subStep == NameOf(Items.Count);

    internal void Take(Json item) => Items = Items.Append(item);

    internal void Handle(Json output) => Output = Output.Append(output);
}
