using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>What is known of an object's members.</summary>
internal abstract class Structure
{
    /// <summary>Structures of structures beyond this are forgotten, so that looking up a member stays cheap.</summary>
    private const int HeightMax = 8;

    public abstract IEnumerable<string> Names { get; }

    protected virtual int Height => 0;

    /// <returns>Null when the object never has it; with null among the types where it may be absent.</returns>
    public abstract Form? Member(string name);

    public static Structure? Either(Structure? one, Structure? other) => Combined(one, other, (a, b) => a is null ? b!.Or(Form.Null) : b is null ? a.Or(Form.Null) : a.Or(b));

    public static Structure? Over(Structure? above, Structure? below) => Combined(above, below, (a, b) => a is null ? b! : b is null || !a.May(JsonTypes.Null) ? a : a.Or(b));

    private static Combination? Combined(Structure? one, Structure? other, Func<Form?, Form?, Form> join) =>
        one is null || other is null || Math.Max(one.Height, other.Height) >= HeightMax ? null : new(one, other, join);

    internal sealed class Closed(IEnumerable<KeyValuePair<string, Form>> members) : Structure
    {
        private readonly Dictionary<string, Form> _members = new(members.DistinctBy(m => m.Key), StringComparer.Ordinal);

        public override IEnumerable<string> Names => _members.Keys;

        public override Form? Member(string name) => _members.GetValueOrDefault(name);
    }

    private sealed class Combination(Structure one, Structure other, Func<Form?, Form?, Form> join) : Structure
    {
        public override IEnumerable<string> Names => one.Names.Union(other.Names);

        protected override int Height { get; } = Math.Max(one.Height, other.Height) + 1;

        public override Form? Member(string name)
        {
            var (a, b) = (one.Member(name), other.Member(name));
            return a is null && b is null ? null : join(a, b);
        }
    }

    internal sealed class OfSchema(JsonSchema schema, Json[] path, IReadOnlyList<string> properties) : Structure
    {
        public override IEnumerable<string> Names => properties;

        public override Form? Member(string name) => At(schema, [.. path, name])?.Or(Form.Null);

        /// <returns>Null when nothing can stand there.</returns>
        public static Form? At(JsonSchema schema, Json[] path)
        {
            if (path.Length > 2 * HeightMax) return Form.Any;
            var shape = schema.ShapeAt(path);
            return shape.Presence switch
            {
                Presence.No => null,
                Presence.Unknown => Form.Any,
                _ => Form.Described(shape.Types, new OfSchema(schema, path, shape.Properties), (shape.Types & JsonTypes.Array) == 0 ? null : At(schema, [.. path, Json.Null])),
            };
        }
    }
}
