// The German bank of the storyteller; same order as the English one.
import type { Bank } from './storyteller-bank.ts';

export const german: Bank = {
  friends: [
    { name: 'Funki', intro: 'ein kleiner Drache' },
    { name: 'Rotpelz', intro: 'ein junger Fuchs' },
    { name: 'Minko', intro: 'ein neugieriger Kater' },
    { name: 'Hoppel', intro: 'ein schüchterner Hase' },
    { name: 'Bruno', intro: 'ein runder brauner Bär' },
    { name: 'Blinki', intro: 'ein freundlicher Roboter' },
  ],
  places: [
    { to: 'zum alten Leuchtturm', at: 'am alten Leuchtturm', title: 'der alte Leuchtturm' },
    { to: 'zum flüsternden Wald', at: 'im flüsternden Wald', title: 'der flüsternde Wald' },
    { to: 'zum Schloss auf dem Hügel', at: 'am Schloss auf dem Hügel', title: 'das Schloss auf dem Hügel' },
    { to: 'zu den blauen Bergen', at: 'in den blauen Bergen', title: 'die blauen Berge' },
    { to: 'zum versteckten Garten', at: 'im versteckten Garten', title: 'der versteckte Garten' },
    { to: 'zur Insel in der Bucht', at: 'auf der Insel in der Bucht', title: 'die Insel in der Bucht' },
  ],
  things: [
    { a: 'ein silbernes Glöckchen', the: 'das silberne Glöckchen' },
    { a: 'eine kleine Laterne', the: 'die kleine Laterne' },
    { a: 'eine singende Muschel', the: 'die singende Muschel' },
    { a: 'ein Sternenlicht', the: 'das Sternenlicht' },
    { a: 'ein rotes Luftschiffchen', the: 'das rote Luftschiffchen' },
    { a: 'ein goldenes Schlüsselchen', the: 'das goldene Schlüsselchen' },
  ],
  helpers: [
    'eine alte Eule',
    'eine fleißige Biene',
    'eine geduldige Schildkröte',
    'ein fröhlicher Wal',
    'eine winzige Schnecke',
  ],
  obstacles: [
    {
      block: 'Ein breiter Fluss lag quer über dem Weg.',
      attempt: 'Sie sprangen, und es machte laut platsch.',
      fix: 'Sie bauten ein Floß aus Ästen.',
    },
    {
      block: 'Dichter Nebel versteckte den Weg.',
      attempt: 'Sie liefen im Kreis, sogar zweimal.',
      fix: 'Sie gaben sich die Hand und folgten dem Lied des Windes.',
    },
    {
      block: 'Ein hohes Tor war fest verschlossen.',
      attempt: 'Sie drückten und drückten, und das Tor knarrte nur.',
      fix: 'Sie fanden eine Lücke unter dem Efeu und krochen hindurch.',
    },
    {
      block: 'Ein starker Wind blies sie immer wieder zurück.',
      attempt: 'Sie stemmten sich dagegen und purzelten wie Eicheln.',
      fix: 'Sie gingen ganz dicht nebeneinander, Schritt für Schritt.',
    },
  ],
  titles: [
    '{name} und {friend}',
    '{placeTitle} und {name}',
    'Die Nacht, in der {name} und {friend} sich trafen',
    '{friend} braucht {name}',
  ],
  morals: [
    'Viele kleine Schritte zusammen sind ein weiter Weg.',
    'Um Hilfe zu bitten ist mutig.',
    'Ein freundliches Wort öffnet mehr Türen als ein Schlüssel.',
    'Wenn ein Plan nicht klappt, helfen ein Freund und eine zweite Idee.',
  ],
  moments: {
    open: [
      [
        '{name} wünschte sich eine Geschichte über „{theme}“. Da klopfte etwas ans Fenster.',
        'Tock, tock, tock machte es, leise wie eine Frage.',
        'Das Zimmer war still, der Mond stand hoch, und {name} war auf einmal hellwach, so wie man es ist, wenn ein Abenteuer schon beschlossen hat zu beginnen.',
      ],
      [
        '{name} träumte von „{theme}“. Ein warmer Wind kam und sagte: „Komm!“',
        'Die Vorhänge tanzten, und die Hausschuhe standen schon bereit.',
        'Niemand sonst im Haus hatte es gehört, und das konnte nur eines bedeuten: Die Nachricht war für {name} und für niemanden sonst auf der Welt.',
      ],
    ],
    sign: [
      [
        'Kleine Lichter führten den Weg hinab. {name} ging ihnen nach.',
        'Eins, zwei, drei blinkten sie und warteten höflich an jeder Ecke.',
        'Wenn {name} stehen blieb und staunte, blieben auch die Lichter stehen, als wüssten sie, dass Staunen zum Weg gehört.',
      ],
      [
        'Im Gras waren Spuren. Von wem waren sie wohl?',
        'Für einen Vogel waren sie zu rund und für eine Kuh zu leicht.',
        '{name} sah genau hin und bemerkte, dass jede siebte Spur einen kleinen Hüpfer machte: Wer hier gegangen war, mochte Musik.',
      ],
    ],
    meet: [
      [
        'Da saß {friend}, {intro}. „Ich suche etwas: {thing}!“, sagte {friend}.',
        '„Ohne das kann ich nicht schlafen“, schniefte {friend} leise.',
        '{name} setzte sich dazu und hörte sich alles von Anfang an an, denn ein Kummer, dem jemand zuhört, ist nur noch halb so schwer.',
      ],
      [
        '„Hallo“, sagte {friend}, {intro}. „Mir fehlt {thing}. Hilfst du mir?“',
        '{name} nickte sofort, und sie gaben sich die Hand darauf, dreimal, das bringt Glück.',
        'Seit dem letzten Neumond war es verschwunden, erzählte {friend}, und drei kluge Pläne waren schon schiefgegangen, einer davon mit sehr viel Marmelade.',
      ],
    ],
    travel: [
      [
        'Los ging es {to}. Tripp, trapp, hopp!',
        '{friend} kannte ein Lied zum Wandern, und {name} erfand eine zweite Strophe.',
        'Hinter ihnen wurden die Häuser klein wie Zuckerwürfel, und vor ihnen wurde die Welt mit jeder Kurve weiter.',
      ],
      [
        '„Wir müssen {to}“, sagte {friend}. Also gingen sie.',
        'Unterwegs teilten sie einen Apfel, und die größere Hälfte bekam, wer mehr Hunger hatte.',
        'Die Karte zeigte nur den halben Weg, die andere Hälfte mussten sie raten, und {name} konnte erstaunlich gut raten.',
      ],
    ],
    play: [
      [
        'Da war ein weicher grüner Hügel. Kichernd rollten sie hinunter!',
        'Sie rollten siebenmal, bis die Wolken zuschauten.',
        'Eine Weile vergaßen sie, was sie suchten, und das war ganz in Ordnung, denn mit Lachen in den Taschen sucht es sich besser.',
      ],
      [
        'Eine Pfütze glänzte wie ein Spiegel. Platsch, machten {name} und {friend}!',
        'Jeder Tropfen fing ein Stück Himmel und warf es in die Luft.',
        'Danach trockneten sie in der Sonne und erzählten sich drei Geheimnisse, zwei kleine und ein ziemlich großes.',
      ],
    ],
    obstacle: [
      [
        '{block} „O nein!“, rief {friend}.',
        '{name} holte tief Luft und zählte bis fünf.',
        'Keiner von beiden sagte laut, dass er lieber umkehren würde, und weil es keiner sagte, blieben sie beide.',
      ],
      [
        'Dann ging es nicht weiter. {block}',
        '„Hm“, sagte {name}. „Hm“, sagte {friend}, denn zwei Hms sind besser als eines.',
        'Es war so ein Problem, das größer wird, je länger man es anstarrt, darum schaute {name} nur mit einem Auge hin.',
      ],
    ],
    attempt: [
      [
        '{attempt} Das klappte nicht!',
        'Sie sahen sich an, und dann mussten sie lachen.',
        '„Jetzt wissen wir, wie es nicht geht“, sagte {name}, „und das ist mehr, als wir heute Morgen wussten.“',
      ],
      [
        'Sie versuchten es auf die schnelle Art. {attempt}',
        '{friend} wollte schimpfen, aber es kam nur ein Schluckauf heraus.',
        'Mit Blättern im Haar ist es nicht leicht, fröhlich zu sein, doch {name} und {friend} schafften es in anderthalb Minuten.',
      ],
    ],
    helper: [
      [
        'Da kam {helper}. „Versucht es zusammen“, hieß der Rat.',
        'Das klang so freundlich, dass sogar der Wind zuhörte.',
        '„Ich lebe schon sehr lange hier“, ging es weiter, „und noch nie habe ich ein Problem gesehen, das keine Angst vor zwei Freunden mit einer Idee hatte.“',
      ],
      [
        '„Darf ich helfen?“ Das war {helper}!',
        '{name} sagte „ja, bitte“, denn mutige Leute sagen das oft.',
        'Sie steckten die Köpfe zusammen, und weil alle drei zugleich dachten, wurde der Gedanke dreimal so hell.',
      ],
    ],
    solve: [
      [
        '{name} hatte eine Idee. {fix}',
        '„Es klappt!“, rief {friend} und schlug einen Purzelbaum.',
        'Es brauchte Geduld, und es brauchte sie beide, und als es geschafft war, fühlte sich {name} ein Stück größer als vorher.',
      ],
      [
        '„Ich weiß es!“, rief {name}. {fix}',
        'Langsam, langsam und dann auf einmal war es geschafft.',
        '{friend} schaute zurück auf das Problem, das von dieser Seite ziemlich klein aussah, und winkte ihm höflich zum Abschied.',
      ],
    ],
    find: [
      [
        'Da, {at}, war {theThing}! {friend} hüpfte vor Freude.',
        'Es glänzte, als hätte es nur auf die richtigen zwei gewartet.',
        '{name} hob den Fund mit beiden Händen auf, ganz vorsichtig, und einen Augenblick lang hielt alles ringsum den Atem an.',
      ],
      [
        'Etwas funkelte {at}. Es war {theThing}!',
        '„Du hast es gefunden!“, rief {friend}. „Wir haben es gefunden“, sagte {name}.',
        'Der lange Weg und alle Umwege ergaben plötzlich einen Sinn, wie ein Puzzle, wenn das letzte Teil klickt.',
      ],
    ],
    feast: [
      [
        'Es gab Kuchen und Beeren. Alle kamen!',
        'Die Grillen spielten, und {friend} tanzte auf Zehenspitzen.',
        'Sogar die Schüchternen kamen hinter ihren Bäumen hervor, und als der erste Stern aufging, war niemand mehr fremd.',
      ],
      [
        'Alle sangen für {name} und {friend}. Was für ein schönes Lied!',
        'Es hatte einen langen Refrain, damit jeder mitsingen konnte.',
        '{name} kannte die Worte nicht und wusste doch genau, wie es ging, denn Dankeslieder klingen überall gleich.',
      ],
    ],
    home: [
      [
        'Dann ging {name} nach Hause ins Bett. Gute Nacht, {name}. Gute Nacht, {friend}!',
        'Und im Traum ging es weiter: „{theme}“, genau wie es sein soll.',
        'Manche sagen, in klaren Nächten sieht man noch heute ein kleines Licht auf dem Weg, das kurz unter dem Fenster stehen bleibt, hinter dem {name} schläft.',
      ],
      [
        '{name} war müde und froh. „Bis morgen“, sagte {friend}.',
        'Der Mond deckte die Hügel zu, und die Geschichte über „{theme}“ rollte sich am Fußende zusammen.',
        '{name} dachte an alles, vom ersten Schritt bis zum letzten, und schlief irgendwo in der Mitte ein, denn da war es am schönsten.',
      ],
    ],
  },
};
