using Millrace.Jq;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema;

public enum Presence
{
    /// <summary>No valid instance has anything there.</summary>
    No,

    /// <summary>The schema leaves it open, or cannot be decided without an instance.</summary>
    Unknown,

    /// <summary>The schema describes what may stand there.</summary>
    Yes,
}

/// <summary>
/// What a schema says of one place inside its instances. It errs on the side of allowing: <see cref="Presence.No"/> and
/// a type that is absent from <paramref name="Types"/> are certain.
/// </summary>
/// <param name="Types">Types a value there may have; <see cref="JsonTypes.None"/> when nothing can stand there.</param>
/// <param name="Properties">Names the schema declares for an object there, sorted: to suggest one, not to refuse others.</param>
public sealed record SchemaShape(Presence Presence, JsonTypes Types, IReadOnlyList<string> Properties);

/// <summary>Follows a path through compiled schemas without an instance.</summary>
internal sealed class ShapeWalk
{
    private const int DepthMax = 64, VisitsMax = 10_000;

    private readonly SortedSet<string> _properties = new(StringComparer.Ordinal);
    private int _visits;

    /// <summary>How sure a schema is of a place, from ruled out to described; open means that no keyword covers it.</summary>
    private enum Cover { Forbidden, Open, Unsure, Described }

    private readonly record struct View(Cover Cover, JsonTypes Types)
    {
        public static readonly View Forbidden = new(Cover.Forbidden, JsonTypes.None);
        public static readonly View Open = new(Cover.Open, JsonTypes.Any);
        public static readonly View Unsure = new(Cover.Unsure, JsonTypes.Any);

        public View And(View other)
        {
            var types = Types & other.Types;
            return Cover == Cover.Forbidden || other.Cover == Cover.Forbidden || types == JsonTypes.None
                ? Forbidden
                : new((Cover)Math.Max((int)Cover, (int)other.Cover), types);
        }

        public View Or(View other) => new((Cover)Math.Max((int)Cover, (int)other.Cover), Types | other.Types);
    }

    public static SchemaShape At(SchemaNode root, ReadOnlySpan<Json> path)
    {
        var walk = new ShapeWalk();
        var view = walk.Look(root, path, 0);
        var presence = view.Cover switch
        {
            Cover.Forbidden => Presence.No,
            Cover.Described => Presence.Yes,
            _ => Presence.Unknown,
        };
        return new SchemaShape(presence, view.Types, presence == Presence.No ? [] : [.. walk._properties]);
    }

    private View Look(SchemaNode node, ReadOnlySpan<Json> path, int depth)
    {
        if (node.Always is { } always)
            return !always ? View.Forbidden : path.IsEmpty ? new View(Cover.Described, JsonTypes.Any) : View.Open;
        if (depth > DepthMax || ++_visits > VisitsMax) return View.Unsure;
        var view = path.IsEmpty ? new View(Cover.Described, JsonTypes.Any) : View.Open;
        foreach (var keyword in node.Keywords)
        {
            view = view.And(Look(keyword, path, depth + 1, view.Cover));
            if (view.Cover == Cover.Forbidden) return view;
        }
        return view;
    }

    private View Look(Keyword keyword, ReadOnlySpan<Json> path, int depth, Cover covered) => keyword switch
    {
        TypeKeyword type => OfType(type.Allowed, path),
        ChoiceKeyword choice => OfChoices(choice.Choices, path),
        MembersKeyword members => OfMembers(members, path, depth),
        ItemsKeyword items => OfItems(items, path, depth),
        ReferenceKeyword reference => Look(reference.Target, path, depth),
        DynamicReferenceKeyword => View.Unsure,
        AllOfKeyword all => All(all.Branches, path, depth),
        AnyOfKeyword any => Any(any.Branches, path, depth),
        OneOfKeyword one => Any(one.Branches, path, depth),
        ConditionKeyword condition => OfCondition(condition, path, depth),
        // It marks what it matches as evaluated, so nothing is ruled out for the rest.
        ContainsKeyword when path is [{ IsString: false }, ..] => View.Unsure,
        DependentSchemasKeyword dependent => OfDependents(dependent, path, depth),
        UnevaluatedMembersKeyword rest when path is [{ IsString: true }, ..] => OfRest(rest.Node, path, depth, covered),
        UnevaluatedItemsKeyword rest when path is [{ IsString: false }, ..] => OfRest(rest.Node, path, depth, covered),
        _ => View.Open,
    };

    private static View OfType(JsonTypes types, ReadOnlySpan<Json> path)
    {
        if (path.IsEmpty) return new(Cover.Open, types);
        var needed = path[0].IsString ? JsonTypes.Object : JsonTypes.Array;
        return (types & needed) == 0 ? View.Forbidden : View.Open;
    }

    private static View OfChoices(ReadOnlySpan<Json> choices, ReadOnlySpan<Json> path)
    {
        var types = JsonTypes.None;
        foreach (var choice in choices) types |= JsonTypeNames.Of(choice);
        return OfType(types, path);
    }

    private View OfMembers(MembersKeyword members, ReadOnlySpan<Json> path, int depth)
    {
        if (path.IsEmpty) _properties.UnionWith(members.Named.Where(m => m.Value.Always != false).Select(m => m.Key));
        if (path.IsEmpty || !path[0].IsString) return View.Open;
        var name = path[0].AsString();
        View? view = members.Named.TryGetValue(name, out var node) ? Described(node, path, depth) : null;
        foreach (var pattern in members.Patterns)
        {
            var matches = pattern.Pattern.TryMatch(name);
            if (matches == false) continue;
            var matched = matches is null ? View.Unsure : Described(pattern.Node, path, depth);
            view = view?.And(matched) ?? matched;
        }
        return view ?? (members.Additional is null ? View.Open : OfRest(members.Additional, path, depth, Cover.Open));
    }

    private View OfItems(ItemsKeyword items, ReadOnlySpan<Json> path, int depth)
    {
        if (path.IsEmpty || path[0].IsString) return View.Open;
        var rest = items.Rest is null ? View.Open : OfRest(items.Rest, path, depth, Cover.Open);
        if (!path[0].IsNumber)
        {
            foreach (var node in items.Prefix) rest = rest.Or(Described(node, path, depth));
            return rest;
        }
        var at = path[0].AsNumber();
        return at < 0 ? View.Unsure : at < items.Prefix.Length ? Described(items.Prefix[(int)at], path, depth) : rest;
    }

    /// <summary>A place under a subschema: what the subschema leaves open below itself stays open.</summary>
    private View Described(SchemaNode node, ReadOnlySpan<Json> path, int depth) => Look(node, path[1..], depth);

    /// <summary>Everything no other keyword covers; the schema <c>true</c> allows it and says no more.</summary>
    private View OfRest(SchemaNode node, ReadOnlySpan<Json> path, int depth, Cover covered) =>
        covered == Cover.Described ? View.Open
        : node.Always == true ? View.Unsure
        : covered == Cover.Unsure ? View.Unsure
        : Described(node, path, depth);

    private View OfDependents(DependentSchemasKeyword dependent, ReadOnlySpan<Json> path, int depth)
    {
        var view = View.Open;
        foreach (var (_, node) in dependent.Rules) view = view.And(Look(node, path, depth).Or(View.Open));
        return view;
    }

    private View OfCondition(ConditionKeyword condition, ReadOnlySpan<Json> path, int depth)
    {
        var view = Optional(condition.Then, path, depth).Or(Optional(condition.Otherwise, path, depth));
        // The condition restricts nothing, yet what it describes counts as evaluated when it holds.
        return Look(condition.Condition, path, depth).Cover >= Cover.Unsure ? view.And(View.Unsure) : view;
    }

    private View Optional(SchemaNode? node, ReadOnlySpan<Json> path, int depth) =>
        node is null ? View.Open : Look(node, path, depth);

    private View All(ReadOnlySpan<SchemaNode> branches, ReadOnlySpan<Json> path, int depth)
    {
        var view = View.Open;
        foreach (var branch in branches) view = view.And(Look(branch, path, depth));
        return view;
    }

    private View Any(ReadOnlySpan<SchemaNode> branches, ReadOnlySpan<Json> path, int depth)
    {
        var view = View.Forbidden;
        foreach (var branch in branches) view = view.Or(Look(branch, path, depth));
        return view;
    }
}
